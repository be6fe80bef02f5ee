"""Open-vocabulary detectors, one a file: from names to regions of a picture."""
