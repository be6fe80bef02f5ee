"""Small trained additions to frozen parts: LoRA and its kin, scales and biases, soft prompts."""
