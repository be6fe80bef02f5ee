"""The tasks that ask for a change, one a file: `ask(edit, rng)` gives an `Exchange`, or None when it is another change."""
