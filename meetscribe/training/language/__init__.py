"""Estimation of what the recogniser knows of the language: pronunciations and n-gram models, from plain text."""
