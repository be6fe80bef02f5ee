"""Solids: coloured point clouds of one to three balls, cubes, cones and the like standing in a room, with full truth."""
