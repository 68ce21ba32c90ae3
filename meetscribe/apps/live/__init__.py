"""The screen of a meeting in a terminal. Folders mirror the screen; `app.run` shows it.

What is set here is read by textual when it is imported, and may be set in the environment instead.
"""

import os

os.environ.setdefault("ESCDELAY", "25")  # ms in which an escape may become another key
# pictures a second at most: what is answered waits for the next one
os.environ.setdefault("TEXTUAL_FPS", "120")
