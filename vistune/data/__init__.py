"""Data: readers (one per file format), mixtures, checks, decoding, packing. Everything arrives as `Sample`s."""
