"""One benchmark a file: where its files are, what it asks, what answers look like, how they are scored."""
