"""What is promised, measured: `python -m benchmarks` (or `make bench`) runs every file here, writes docs/benchmarks.md.

A benchmark is a module with a function `rows() -> list[Row]`. Ratios are taken within one run, on one machine; absolute
times say something about that machine only.
"""
