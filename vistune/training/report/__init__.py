"""A run as one page: its losses, its speed, its data, and the measurements on the way."""
