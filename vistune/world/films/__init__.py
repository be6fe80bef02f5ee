"""Films: digits, shapes and words that move, meet, appear, disappear and change their colour, with full truth."""
