"""What benchmarks read: annotations, result files of other software, detections in text, data sets of the hub."""
