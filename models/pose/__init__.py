"""From regions of an image to keypoints and masks: what happens before and after a pose network."""
