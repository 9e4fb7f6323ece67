"""Which files are images and which are videos, by their names."""

_VIDEOS = """
264 265 3g2 3gp apng asf avi dav divx dv f4v flv gif h264 h265 hevc ivf m1v m2ts m2v m4v mjpeg mjpg mkv mov
mp4 mpeg mpg mts mxf nut obu ogm ogv qt rm rmvb ts vob webm wmv wtv y4m
"""

_IMAGES = "avif bmp heic heif hif jfif jp2 jpe jpeg jpg jxl pbm pgm png pnm ppm tif tiff webp"

IMAGE_SUFFIXES = frozenset(f".{name}" for name in _IMAGES.split())
VIDEO_SUFFIXES = frozenset(f".{name}" for name in _VIDEOS.split())
"""Of files that a search through a folder takes; a file that is named may have any."""
