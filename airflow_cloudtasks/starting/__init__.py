"""Starting a task at a cloud once, whatever dies meanwhile."""
