"""Coordinate codecs: how a box or a point is written in text and read back, one file each."""
