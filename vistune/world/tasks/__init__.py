"""The tasks, one a file: `ask(scene, rng)` gives an `Exchange` about the scene, or None when the scene does not lend itself.

Questions that name an object name exactly one; the answers' shares are such that nobody answers them well blind.
"""
