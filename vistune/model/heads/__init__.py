"""Heads: hidden states -> regions and media, one file each. The kind in a spec is the file's name."""
