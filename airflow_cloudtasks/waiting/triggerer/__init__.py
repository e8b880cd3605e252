"""Wait for thousands of tasks in one event loop, within the request budget of each account."""
