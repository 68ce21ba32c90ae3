"""Meetings to learn from, and evaluation sets, made of recordings of single speakers."""
