"""Measurements: every number that the documentation states about speed and memory comes from here.

``python -m benchmarks`` prints the table; see ``docs/benchmarks.md``.
"""
