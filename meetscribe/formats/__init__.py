"""Text <-> meetings, pure: nothing here opens a file. `registry.py` knows them by name and extension."""
