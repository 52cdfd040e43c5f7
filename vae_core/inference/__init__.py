"""Inference: stored models in memory, and what is computed with them once."""
