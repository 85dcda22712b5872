"""The trade-off of the paper's Fig. 6 in miniature: one U-Net budget behind first stages of f = 1, 2, 4, 8.

`python -m benchmarks tradeoff` trains everything into a folder, stops and goes on like any training here, and writes
docs/tradeoff.md. It takes far longer than a benchmark, so `python -m benchmarks` alone leaves it out.
"""
