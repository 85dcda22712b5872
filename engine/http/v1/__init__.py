"""Darkroom's own API, one module for each group of routes."""
