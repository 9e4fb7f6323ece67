"""The classes of COCO (https://cocodataset.org): 80 names, in the order in which detectors number them."""

from collections.abc import Sequence

# fmt: off
NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee",
    "skis", "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple",
    "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard",
    "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)
# fmt: on

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"),
    *("left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip"),
    *("left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""The 17 keypoints of a person, in COCO's order; left and right are the person's own."""

SIGMAS = (26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89)
"""How far apart people place each keypoint, in thousandths of a person's size."""

SKELETON = (
    *((0, 1), (0, 2), (1, 3), (2, 4)),  # face
    *((5, 6), (5, 11), (6, 12), (11, 12)),  # trunk
    *((5, 7), (7, 9), (6, 8), (8, 10)),  # arms
    *((11, 13), (13, 15), (12, 14), (14, 16)),  # legs
)
"""Pairs of these keypoints that drawings join."""


def keypoint_order(names: Sequence[str]) -> tuple[int, ...] | None:
    """Which of a network's keypoints are COCO's 17, in COCO's order; None if it lacks some."""
    return tuple(names.index(name) for name in KEYPOINTS) if set(KEYPOINTS) <= set(names) else None


_UNUSED = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}  # COCO numbers its categories 1 to 90, with gaps

CATEGORY_IDS = tuple(i for i in range(1, 91) if i not in _UNUSED)
"""COCO's category id of each name, from 1 (person) to 90 (toothbrush)."""
