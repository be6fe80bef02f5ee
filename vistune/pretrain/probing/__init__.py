"""What frozen features know, measured by linear read-outs."""
