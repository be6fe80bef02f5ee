"""Region encoders: boxes, points and masks on a picture -> tokens of the language model's width, one a file."""
