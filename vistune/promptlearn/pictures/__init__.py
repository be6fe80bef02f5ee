"""Pictures as batches: crops, augmentation, and the bank of what a frozen tower made of them."""
