"""The screen of a meeting in a terminal. Folders mirror the screen; `app.run` shows it."""
