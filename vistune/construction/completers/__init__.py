"""Completers, one file each: `open_completer("endpoint:https://host/v1?model=name")` opens what a text names."""
