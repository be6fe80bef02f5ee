"""One file a method; a method's spec is its file's name and its keyword arguments, `+` wraps: `dept+maple`."""
