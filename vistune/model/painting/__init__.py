"""Models that make pictures: a code book with its decoder, and a painter that works in its latent space."""
