"""From words to pictures, one way a file."""
