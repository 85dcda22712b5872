"""Losses, weight averaging and learning-rate schedules of the paper's two training stages.

Must not import the graph column.
"""
