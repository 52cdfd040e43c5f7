"""The questions of pages that need more than a decoded picture: a module for each topic, each with its `QUESTIONS`."""
