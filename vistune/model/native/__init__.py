"""Vision-language models of `transformers` as they are: one adapter over all of them, to predict with and to tune."""
