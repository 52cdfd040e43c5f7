"""Data sets: the named ones, archives, and folders of images."""
