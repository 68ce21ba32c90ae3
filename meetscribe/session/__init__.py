"""A meeting while it happens: audio goes in, numbered events come out."""
