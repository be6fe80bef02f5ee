"""Does a server keep to chat completions with media? `vistune conformance URL` asks it and says where it does not."""
