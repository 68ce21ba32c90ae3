"""Pure state machines round the network: search, turns, transcriber."""
