"""Measures of transcripts against references: error rates, turns, latencies; frozen values that add."""
