"""One writer a file format: a function `write(samples, path, images)` and `READ`, the reader's arguments that read it back.

A writer holds everything it is given or refuses the sample by name: reading back gives the same samples.
"""
