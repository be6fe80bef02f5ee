"""What is made of scores: reports, comparisons, ratings, figures, galleries."""
