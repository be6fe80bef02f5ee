"""Chat completions as they travel: what a request says, what a reply says, and how a request is refused."""
