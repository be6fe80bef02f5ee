"""Bytes to raw records: one module a file format, and the rules they share (offsets, strictness, safe unpickling)."""
