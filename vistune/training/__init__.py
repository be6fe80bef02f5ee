"""Stages, the loop, checkpoints of a run. What trains is said by patterns over part names; everything else is frozen."""
