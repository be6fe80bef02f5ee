"""Encoders: media -> `Features`, one file each. The kind in a spec is the file's name."""
