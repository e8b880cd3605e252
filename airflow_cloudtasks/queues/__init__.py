"""Message queues for the provider common-messaging."""
