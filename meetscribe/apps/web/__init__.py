"""The browser client: HTML, CSS and ES modules that are served as they are; no step builds them.

`static/index.html` is the page, `static/app/` its modules: `meeting.js` folds events as `meetscribe/meeting.py` does.
Not covered: serving them (`apps/serve`).
"""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
