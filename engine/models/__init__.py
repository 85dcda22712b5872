"""Where weights live: devices, handles (`Model`, `VAE`, `TextEncoder`), the manager, and the step driver.

Importable without torch. Must not import the graph column.
"""
