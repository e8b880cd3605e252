"""Wait for thousands of tasks in one event loop, within the allowance of each account."""
