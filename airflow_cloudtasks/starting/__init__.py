"""Start a task once, even if the process that starts it dies."""
