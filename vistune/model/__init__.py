"""The vision-language model and its parts: encoders, connectors, fusion, regions, heads, and one language-model wrapper."""
