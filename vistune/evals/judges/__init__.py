"""One judge a file: its prompt about an answer, the reading of the reply, the number that comes of it."""
