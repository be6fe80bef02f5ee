"""Values of a raw record to pieces of a sample: typed fields, boxes, masks, placeholders, files beside the data."""
