"""Export: what leaves as a file."""
