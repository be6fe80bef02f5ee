"""Reply formats: one file each, with the parser, its inverse and the sentences that ask a model for the format."""
