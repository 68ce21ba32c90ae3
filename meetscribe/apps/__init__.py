"""What people start: the command line and what it runs."""
