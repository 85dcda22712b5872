"""The engine: a graph column (node, graph, run, http) and an LDM column (ldm, models, values) that never meet here."""
