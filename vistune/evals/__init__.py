"""Scoring: pure functions over predictions files. Nothing here imports torch or transformers."""
