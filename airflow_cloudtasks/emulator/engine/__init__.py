"""The emulator's memory and clockwork: tasks and their scripts, plans, keys, limits, faults and the journal.

Nothing here knows HTTP or a vendor. Most of it is pure: times and random numbers are passed in.
"""
