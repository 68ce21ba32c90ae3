"""Making models: data, alignments, losses, schedules. Nothing outside imports it."""
