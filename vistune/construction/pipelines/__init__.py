"""Published constructions of instruction data, one file each. The methods are theirs; every sentence of a prompt is ours."""
