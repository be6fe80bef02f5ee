"""Directories of other software, in both directions: `import`, `export`, `merge`."""
