"""Benchmarks: every part against the limit of what it stands on, both measured in turn in one run.

A busy machine slows both sides, so the figure that counts is the ratio of two neighbours, and its median over the
rounds. Seconds and rates beside it are for orientation only.
"""
