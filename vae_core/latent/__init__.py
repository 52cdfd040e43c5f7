"""Geometry of codes: paths, directions, neighbours and densities."""
