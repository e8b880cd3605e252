"""Waiting: what a poll's outcome means, when the next one is due, and the loop that does it in the triggerer."""
