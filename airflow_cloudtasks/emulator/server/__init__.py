"""The emulator as an HTTP server: the application, its sockets and threads, and its process."""
