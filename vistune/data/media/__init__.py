"""Decoding: from a `Media` to pixels, frames and sound, with limits checked before anything is decoded."""
