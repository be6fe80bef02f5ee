"""Measuring while training: held-out loss and answers, the best of a run, and a page of answers as they change."""
