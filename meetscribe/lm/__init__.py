"""Words: their pronunciations, and how likely they are after one another."""
