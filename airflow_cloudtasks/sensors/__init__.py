"""Sensors: they wait for tasks, in a worker or in the triggerer."""
