"""A trained model as others get it: its files in one folder, a card that says what it is, and the way to a hub."""
