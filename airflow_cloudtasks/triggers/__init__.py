"""Triggers: they wait for cloud tasks in the triggerer."""
