"""What README.md claims, measured: each module prints one table. `make bench` runs them all."""
