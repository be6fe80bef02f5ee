"""Modalities: how one kind of medium or region gets from a sample to tokens. They hold no weights of their own."""
