"""Wait for tasks: what an answer means for a wait, in a worker and in the triggerer."""
