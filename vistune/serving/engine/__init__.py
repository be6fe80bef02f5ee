"""From requests to tokens: scheduling, choosing, wording, and caches that outlive a request."""
