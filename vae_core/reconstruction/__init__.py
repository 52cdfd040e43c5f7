"""One picture in the eyes of a model."""
