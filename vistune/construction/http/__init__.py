"""What the endpoint completer is made of: the wire format, the concurrency limit, the budget, one request's retries."""
