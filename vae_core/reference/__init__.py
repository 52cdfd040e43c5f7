"""Reference sets: held-out encodings, their scores, groups and typical members."""
