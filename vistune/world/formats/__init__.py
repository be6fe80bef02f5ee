"""The field's own file formats, one a file: `add` a picture at a time, `write` the files at the end."""
