"""What the recogniser knows of the language, estimated from text: pronunciations and n-gram models."""
