"""Sounds: struck, blown and spoken things one after the other, left or right, low or high, with full truth."""
