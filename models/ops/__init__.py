"""Geometry of boxes, regions, masks and letterboxes, and COCO's names, in numpy."""
