"""Built-in nodes: the only place where a port meets a tensor. Loaded by the same door as plugins."""
