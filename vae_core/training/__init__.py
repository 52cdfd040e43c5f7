"""Training: the loop, its state on disk, and the start from PCA."""
