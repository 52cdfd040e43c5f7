"""Stored models: files on disk, metrics, presets and cards."""
