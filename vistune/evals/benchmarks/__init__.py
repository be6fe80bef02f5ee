"""One benchmark a file: its files, its questions, the form of answers, and their score."""
