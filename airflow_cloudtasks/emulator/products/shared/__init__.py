"""What the products share: how an answer is built, and how a task starts, ends and is listed."""
