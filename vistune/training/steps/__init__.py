"""One optimizer step: its samples in packed rows, its losses and counts, number formats, recomputation, the optimizer."""
