"""A run as one page: what it learns, how fast, on what, and what was measured on the way."""
