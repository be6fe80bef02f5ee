"""The tasks about pages, one a file: `ask(page, rng)` gives an `Exchange`, or None when the page does not lend itself."""
