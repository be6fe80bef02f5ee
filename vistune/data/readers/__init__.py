"""One reader a file format: a class whose typed keyword arguments are its spec, giving `Sample`s by index."""
