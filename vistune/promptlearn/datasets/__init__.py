"""The data sets: the nine with CoOp's split files, FGVC-Aircraft, ImageNet and its variants, the embedded world."""
