"""Runs as published: protocols, shots, seeds, results."""
