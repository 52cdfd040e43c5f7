"""What all visitors share: jobs, refits, exports, the catalogue and examples."""
