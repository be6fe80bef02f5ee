"""Reading feature maps and point sets at chosen places: RoIAlign, farthest points, nearest neighbours."""
