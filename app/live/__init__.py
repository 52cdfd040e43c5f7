"""The live channel: questions from the page to the model and back over one WebSocket, and the page's own files."""
