"""Text <-> meetings, pure: nothing here opens a file. `registry.py` knows the formats by name and extension."""
