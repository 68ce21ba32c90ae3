"""`meetscribe serve`: meetings for browsers and other programs, over HTTP, WebSocket and MQTT."""
