"""The language model: one wrapper over any Hugging Face decoder or encoder-decoder, its hooks, attention and loss."""
