"""The middle of the screen: what was said, from events to lines of a terminal."""
