"""Pictures: files from outside, what the model sees of them, montages and animations."""
