"""Which finds are one and the same person, and what several finds of one person come to."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from ..ops.boxes import iou as box_iou
from ..ops.coco import SIGMAS
from ..types import F32, I64
from .types import LIKELY, People

Pairs = npt.NDArray[np.bool_]

_SAME_BOX = 0.7  # boxes that overlap by more are one person
_NEAR_BOX, _SAME_POSE = 0.3, 0.7  # and so are those that overlap by more than this, with poses that similar
_ENOUGH = 4  # keypoints that two finds show, by which they are compared
_SIGMAS = np.array(SIGMAS, np.float32) / 1000
_BODY = np.float32(0.53)  # how much of a person's box the body fills, where similarity needs its area

_DETECTED = 0.6  # IoU from which on a detector's box and a person of a look are one
_TRUST = np.float32(0.8)  # what a look's score counts beside the detector's

_FOUND_AGAIN = 0.5  # IoU from which on a second look shows the person that it was taken for
_FAINTEST = np.float32(0.1)  # mean keypoint score below which a person's score falls no further
_UNCONFIRMED = np.float32(0.3)  # times the score of a pose that the second look didn't find


def pose_similarity(a: F32, b: F32, areas: F32) -> F32:
    """(P,) float32 object keypoint similarity of P pairs of poses, all 17 keypoints counted.

    Source: https://cocodataset.org/#keypoints-eval.

    Args:
        a: (P, 17, 3) float32 x, y, score.
        b: (P, 17, 3) float32.
        areas: (P,) float32, of the smaller box of each pair in square pixels.
    """
    return _alike(a, b, areas).mean(-1)


def _seen_similarity(a: F32, b: F32, areas: F32) -> F32:
    """The same of the keypoints that both show, where these are ``_ENOUGH``; else of all.

    The legs of a find that ends at the hips lie anywhere: they do not say that it is somebody else.
    """
    seen = (a[..., 2] >= LIKELY) & (b[..., 2] >= LIKELY)
    count, alike = seen.sum(-1), _alike(a, b, areas)
    return np.where(count >= _ENOUGH, (alike * seen).sum(-1) / np.maximum(count, 1), alike.mean(-1))


def _alike(a: F32, b: F32, areas: F32) -> F32:
    """(P, 17) float32, from 0 to 1: how near each keypoint of a pair is to the other's."""
    distance = ((a[..., :2] - b[..., :2]) ** 2).sum(-1)
    reach = 2 * np.maximum(areas, 1)[:, None] * _BODY * (2 * _SIGMAS) ** 2
    return np.exp(-distance / reach)


def greedy(same: Pairs, scores: F32) -> I64:
    """Indices of the best of those that are the ``same`` (N, N), best first: each removes what it is.

    ``same`` is symmetric.
    """
    order = np.argsort(-scores, kind="stable")
    if np.count_nonzero(same) == np.count_nonzero(same.diagonal()):
        return order
    same, kept = same[np.ix_(order, order)], np.ones(len(order), bool)
    for i in range(len(order)):
        if kept[i]:
            kept[i + 1 :] &= ~same[i, i + 1 :]
    return order[kept]


def unique(people: People) -> People:
    """Without the weaker finds of one person: those with a similar box, or box and pose; best first."""
    iou = box_iou(people.boxes, people.boxes)
    np.fill_diagonal(iou, 0)
    if not (iou > _NEAR_BOX).any():
        return people[np.argsort(-people.scores, kind="stable")]
    same = iou > _SAME_BOX
    posed = people.keypoints[..., 2].any(1)
    near = (iou > _NEAR_BOX) & ~same & np.logical_and.outer(posed, posed)
    one, other = np.nonzero(np.triu(near, 1))
    areas = (people.boxes[:, 2:] - people.boxes[:, :2]).prod(1)
    similarity = _seen_similarity(
        people.keypoints[one], people.keypoints[other], np.minimum(areas[one], areas[other])
    )
    alike = similarity > _SAME_POSE
    same[one[alike], other[alike]] = same[other[alike], one[alike]] = True
    return people[greedy(same, people.scores)]


def merge_looks(looks: Sequence[People]) -> People:
    """The people of several looks at one image, in image pixels: of each person the best find, as it is."""
    return unique(People.concat(looks))


def merge_detector(boxes: F32, scores: F32, people: People) -> People:
    """The people of a detector and of looks, in image pixels.

    A pair gets the mean of both boxes, weighted by score, the score that either is right, and the look's
    keypoints. Unpaired boxes have keypoints with score 0, for a second look to find.

    Args:
        boxes: (N, 4) float32 of the detector.
        scores: (N,) float32.
        people: of the looks.
    """
    trusted = replace(people, scores=people.scores * _TRUST, pose_scores=people.pose_scores * _TRUST)
    merged = boxes_alone(boxes, scores)
    free, iou = np.ones(len(people), bool), box_iou(boxes, people.boxes)
    for i in np.argsort(-scores, kind="stable"):
        candidates = np.where(free, iou[i], 0)
        if not candidates.size or candidates.max() < _DETECTED:
            continue
        j = int(candidates.argmax())
        free[j] = False
        share = scores[i] / (scores[i] + trusted.scores[j])
        merged.boxes[i] = share * boxes[i] + (1 - share) * people.boxes[j]
        merged.scores[i] = 1 - (1 - scores[i]) * (1 - trusted.scores[j])
        merged.keypoints[i] = people.keypoints[j]
        merged.pose_scores[i] = merged.scores[i] * people.keypoints[j, :, 2].mean()
        merged.centers[i], merged.views[i] = people.centers[j], people.views[j]
    return People.concat([merged, trusted[free]])


def boxes_alone(boxes: F32, scores: F32) -> People:
    """People of whom only (N, 4) boxes and (N,) scores are known; they belong to no view (-1)."""
    count = len(boxes)
    nothing = np.zeros(count, np.float32)
    keypoints = np.zeros((count, len(_SIGMAS), 3), np.float32)
    views = np.full(count, -1, np.int64)
    return People(boxes.copy(), scores.astype(np.float32), keypoints, nothing, nothing.copy(), views)


def find_again(box: F32, found: People) -> int | None:
    """Which of the people found in a second look is the one of the (4,) box; None if none of them is."""
    if not len(found):
        return None
    iou = box_iou(box[None], found.boxes)[0]
    best = int((found.centers * iou).argmax())
    return best if iou[best] >= _FOUND_AGAIN else None


def merge_second(people: People, again: Sequence[People | None]) -> People:
    """What the first and the second look at each person come to, in image pixels.

    Keypoints are the second look's, boxes the mean weighted by score; the score falls where the second look
    shows a faint pose. A person that it doesn't show stays as it was, with a low score of the pose.

    Args:
        people: N of the first look; their ``views`` stay.
        again: for each, that person alone in the second look; or None.
    """
    boxes, keypoints = people.boxes.copy(), people.keypoints.copy()
    for i, second in enumerate(again):
        if second is not None:
            share = second.centers[0] / (second.centers[0] + people.scores[i])
            boxes[i] = share * second.boxes[0] + (1 - share) * people.boxes[i]
            keypoints[i] = second.keypoints[0]
    mean = keypoints[..., 2].mean(1)
    confirmed = np.array([second is not None for second in again], bool)
    return unique(
        replace(
            people,
            boxes=boxes,
            scores=people.scores * np.maximum(mean, _FAINTEST) ** np.float32(0.25),
            keypoints=keypoints,
            pose_scores=people.scores * mean * np.where(confirmed, np.float32(1), _UNCONFIRMED),
        )
    )
