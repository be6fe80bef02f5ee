"""Region encoders: boxes, points and masks on a medium -> tokens, one file each. The kind in a spec is the file's name."""
