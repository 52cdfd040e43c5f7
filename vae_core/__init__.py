"""Variational autoencoders: train, store, evaluate and run them; importable and useful without the app."""

__version__ = "0.1.0"
