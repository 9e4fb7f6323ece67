"""From an image to boxes, keypoints and masks of people, with the networks of `networks.people`."""
