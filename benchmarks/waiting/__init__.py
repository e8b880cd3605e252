"""The parts of ``benchmarks/waits.py``."""
