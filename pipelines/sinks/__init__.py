"""Where results go: video, JSON Lines, MOT, COCO, Parquet, images."""
