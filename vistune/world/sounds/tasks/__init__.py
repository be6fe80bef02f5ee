"""The tasks about sounds, one a file: `ask(sound, rng)` gives an `Exchange`, or None when the sound does not lend itself."""
