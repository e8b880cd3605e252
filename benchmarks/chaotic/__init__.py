"""The parts of chaos.py: what is run, what goes wrong, and what should have come of it."""
