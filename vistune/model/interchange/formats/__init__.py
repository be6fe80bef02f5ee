"""Names of published checkpoints' tensors, one method a file: prefixes of our parts -> prefixes of theirs (`keymap`)."""
