"""No domain: where files lie, work in the background, lanes of threads."""
