"""Our browser components, seen from Python: what they are given and what they report."""
