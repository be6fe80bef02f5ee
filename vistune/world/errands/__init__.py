"""Errands: what somebody wants of a picture that is named and not shown, and the tool calls that do it, with full truth."""
