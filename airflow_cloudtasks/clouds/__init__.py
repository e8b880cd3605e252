"""Call a cloud's API: sign and send requests, retry them, read the answers."""
