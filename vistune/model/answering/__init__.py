"""From a model to its answers: opening, generating over shared prefixes, ranking."""
