"""The towers of a frozen dual encoder, opened up for edits, and what their weights are read from."""
