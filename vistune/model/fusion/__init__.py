"""Fusion: how visual tokens reach the language model, one file each. The kind in a spec is the file's name."""
