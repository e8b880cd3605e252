"""Call a cloud's API: sign, send, retry, read the answer."""
