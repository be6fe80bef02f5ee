"""How a provider's chat endpoint is asked and what it answers, one file each."""
