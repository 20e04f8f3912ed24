"""Benchmarks: ours against a peer or a baseline, side by side in the same run.

Machines differ and are noisy, so nothing here is an absolute time: every row is a ratio, taken from
repeats that alternate between the two sides.
"""
