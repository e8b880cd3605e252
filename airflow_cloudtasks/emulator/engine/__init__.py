"""What the emulator remembers, and how it goes on: tasks, scripts, keys, limits, faults and the journal."""
