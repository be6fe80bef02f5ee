"""The embedded data set: scenes made from real handwriting, drawn shapes and rendered words, with full truth."""
