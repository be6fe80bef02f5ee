"""From a `Sample` to token ids, labels and slots: templates, coordinate codecs and the one renderer."""
