"""Sensors: they wait for cloud tasks, in a worker or in the triggerer."""
