"""Benchmarks: ratios to other libraries in the same run, over several repeats, as medians."""
