"""Learning from pairs of answers, one better than the other."""
