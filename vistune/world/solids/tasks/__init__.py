"""The tasks about solids, one a file: `ask(cloud, rng)` gives an `Exchange`, or None when the cloud does not lend itself."""
