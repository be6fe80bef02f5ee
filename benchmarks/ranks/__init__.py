"""How long processes wait for each other: measured with two, simulated for many."""
