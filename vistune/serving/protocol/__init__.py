"""Chat completions as they travel: requests, replies and refusals."""
