"""Real-time transcription of meetings: two people who speak at once stay two turns."""

__version__ = "0.1.0"
