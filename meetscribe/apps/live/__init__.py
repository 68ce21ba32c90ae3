"""The screen of a meeting in a terminal. Folders mirror the screen; `app.run` shows it."""

import os

os.environ.setdefault(
    "ESCDELAY", "25"
)  # ms in which an escape may become another key; textual reads it on import
