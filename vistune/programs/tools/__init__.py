"""The tools on offer, one a file: objects with `name`, `use` and a `__call__` whose signature is the schema."""
