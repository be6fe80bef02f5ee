"""Where weights come from and go to: backbones, checkpoints, quantization, shards."""
