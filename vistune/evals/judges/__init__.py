"""One judge a file: what a language model is asked about an answer, how its reply is read, which number comes of it."""
