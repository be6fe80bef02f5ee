"""Published methods, one short file each: a function of the file's name that returns a `Recipe`."""
