"""WeData, one file for each kind of task."""
