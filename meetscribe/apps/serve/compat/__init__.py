"""Other services' protocols, so that programs made for them work here: vosk-server, Deepgram, OpenAI."""
