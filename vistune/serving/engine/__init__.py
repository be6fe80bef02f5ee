"""From requests to tokens: scheduling, choosing, wording, and what is kept from one request for the next."""
