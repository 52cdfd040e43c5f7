"""Networks: their configuration, layers, posteriors and objective."""
