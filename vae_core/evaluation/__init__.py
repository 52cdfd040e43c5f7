"""Evaluation: what is measured of a stored model on its data set."""
