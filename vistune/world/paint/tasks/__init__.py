"""The tasks that ask for a picture from words."""
