"""What runs in the triggerer."""
