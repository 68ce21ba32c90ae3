"""Corpora as people download them become folders that training reads: manifests, then first alignments."""
