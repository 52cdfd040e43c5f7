"""What crosses between the browser and the server, and how strictly it is read."""
