"""Serving a model: an OpenAI-compatible server, the page on which people talk to it, and clients of such a server."""
