"""How calls are spoken between a planner and the loop, one way a file."""
