"""What each cloud does on the wire: how it reads, authenticates and refuses a request, and wraps an answer."""
