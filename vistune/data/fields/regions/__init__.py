"""Regions in records: boxes, masks, phrases."""
