"""The tasks about films, one a file: `ask(film, rng)` gives an `Exchange`, or None when the film does not lend itself."""
