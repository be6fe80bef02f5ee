"""Rules that answer a pipeline's prompts about the embedded world from its truth, in the place of models."""
