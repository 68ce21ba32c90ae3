"""What asks in the middle of the screen. Esc closes each of them and changes nothing."""
