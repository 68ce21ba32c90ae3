"""Meetings on disk: their logs in SQLite, their recordings beside it; to write, read, search, recover and forget."""
