"""Boxes, keypoints and masks of people from one network: a `OnePassNetwork`."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial

import numpy as np

from ..detectors.fitted import MAX_SHAPES, fitted_size
from ..errors import SepcamError
from ..ops import coco
from ..ops.masks import place_masks
from ..spec import Size
from ..types import F32, I64, U8, Crop, Detections, Detector, LazyMasks, Part
from .follow import Follow
from .look import Look
from .maps import LookAt
from .masks import MASK_BATCH, MASK_SIZE, heads_of
from .merging import merge_detector, merge_looks
from .second_look import SecondLook
from .types import People, Seen, with_likelihoods, within

MaskRun = Callable[[F32], Sequence[F32]]
"""`networks.people.MaskHead`, ready to run: (N, 40, 40, 43) float32 to one array (N, 80, 80) of logits."""

_NOBODY = np.float32(-100)  # logit of a pixel that certainly belongs to nobody


class PeopleNetwork:
    """Finds people with `networks.people`: everyone in one pass, whatever their number.

    One thread at a time may use it. It keeps nothing from one image to the next.

    Args:
        compile_look: returns `networks.people.PeopleMaps`, ready to run on inputs of (height, width) pixels;
            called when an image of a new shape comes.
        mask_head: computes the masks; None leaves them out.
        sizes: the longer side of the input, a multiple of 32, of each of one or more looks at the image; the
            shorter side follows the image's shape. What they find is merged.
        large: pixels that somebody is high, at least, in the largest look whom a smaller one may find. What a
            small look takes for a small person is often two in one box.
        second_look: looks once more at each person; None does not.
        follow: finds known people again; None looks at the whole image.
        detector: finds people too, and its boxes are merged with those of the looks; None does without.
        score_floor: the lowest score that is reported, in (0, 1).
        name: as in the registry.

    Raises:
        SepcamError: If a size is not a multiple of 32.
    """

    labels: Sequence[str] = ("person",)
    keypoint_names: Sequence[str] = coco.KEYPOINTS
    skeleton: Sequence[tuple[int, int]] = coco.SKELETON

    def __init__(
        self,
        compile_look: Callable[[Size], LookAt],
        mask_head: MaskRun | None,
        *,
        sizes: Sequence[int],
        large: float = 0.0,
        second_look: SecondLook | None = None,
        follow: Follow | None = None,
        detector: Detector | None = None,
        score_floor: float = 0.1,
        name: str = "people",
    ) -> None:
        if any(size < 32 or size % 32 for size in sizes):
            raise SepcamError(f"input size {', '.join(map(str, sizes))} does not fit: use multiples of 32")
        self.name = name
        self._fitted = lru_cache(MAX_SHAPES)(lambda size: _beside(lambda: Look(compile_look(size), size)))
        self._mask_head = mask_head
        self._sizes = sizes
        self._large = large
        self._second_look = second_look
        self._follow = follow
        self._detector = detector
        self._score_floor = score_floor

    @property
    def parts(self) -> frozenset[Part]:
        """Keypoints, and masks where it has a mask head."""
        return frozenset(("pose",) if self._mask_head is None else ("pose", "segment"))

    def prepare(self, size: Size) -> None:
        """Begin to compile what ``detect`` needs for images of (height, width) pixels, beside the caller."""
        for longest in self._sizes:
            self._fitted(fitted_size(size, longest))

    def detect(self, image: U8) -> Detections:
        """People in an (H, W, 3) uint8 BGR image, best first, with their keypoints and masks."""
        people, seen = self._first_looks(image)
        if self._second_look is not None:
            people, more = self._second_look(image, people, first_view=len(seen))
            seen += more
        return self._detections(image, people, seen)

    def follow(self, image: U8, boxes: F32) -> Detections | None:
        """The people who are expected in boxes of an image, see `FollowingNetwork`."""
        if self._follow is None:
            return None
        found = self._follow(image, boxes, fitted_size(image.shape, max(self._sizes, default=0)))
        return None if found is None else self._detections(image, *found)

    def _detections(self, image: U8, people: People, seen: Sequence[Seen]) -> Detections:
        """The people in image pixels as they are reported, with masks."""
        people = within(people, image.shape)
        inside = (people.boxes[:, 2:] > people.boxes[:, :2]).all(1)
        people = people[inside & (people.scores >= self._score_floor)]
        masks = None
        if self._mask_head is not None:
            size, kept = (image.shape[0], image.shape[1]), _kept(seen)
            compute = partial(_masks, self._mask_head, people, kept, size)
            masks = LazyMasks(compute, np.arange(len(people)))
        labels = np.zeros(len(people), np.int64)
        keypoints = with_likelihoods(people.keypoints)
        return Detections(people.boxes, people.scores, labels, keypoints, masks, people.pose_scores)

    def _first_looks(self, image: U8) -> tuple[People, list[Seen]]:
        """Who is found in the image as a whole, in its pixels, and the views of the looks at it."""
        found, seen = [People.empty()], []
        for longest in self._sizes:
            look = self._fitted(fitted_size(image.shape, longest)).result()
            people, view = look(image, self._score_floor)
            people = within(people, image.shape)
            if longest < max(self._sizes):
                height = self._large * max(image.shape[:2]) / max(self._sizes)
                people = people[people.boxes[:, 3] - people.boxes[:, 1] >= height]
            found.append(replace(people, views=np.full(len(people), len(seen))))
            seen.append(view)
        people = merge_looks(found)
        if self._detector is not None:
            boxes = self._detector.detect(image)
            persons = boxes[boxes.labels == list(self._detector.labels).index("person")]
            people = merge_detector(persons.boxes, persons.scores, people)
        return people, seen


def _beside(compute: Callable[[], Look]) -> Future[Look]:
    """What is computed in a thread of its own, from now on."""
    executor = ThreadPoolExecutor(1, "sepcam-compile")
    future = executor.submit(compute)
    executor.shutdown(wait=False)
    return future


def _kept(seen: Sequence[Seen]) -> list[Seen]:
    """With features of their own, which no later look overwrites."""
    own = {id(one.features): one.features.copy() for one in seen}
    return [replace(one, features=own[id(one.features)]) for one in seen]


def _masks(
    run: MaskRun, people: People, seen: Sequence[Seen], size: tuple[int, int], wanted: I64
) -> list[Crop]:
    """The masks of the wanted rows of people in an image of (height, width) pixels.

    Those whom no view shows, or of whom no keypoint tells the head who is meant, get empty ones.
    """
    people = people[wanted]
    logits = np.full((len(people), MASK_SIZE, MASK_SIZE), _NOBODY, np.float32)
    affines = np.zeros((len(people), 2, 3), np.float32)
    affines[:, 0, 0] = affines[:, 1, 1] = 1
    posed = people.keypoints[..., 2].any(1)
    rows = np.flatnonzero((people.views >= 0) & posed)
    for start in range(0, len(rows), MASK_BATCH):
        batch = rows[start : start + MASK_BATCH]
        shown_by = [seen[index] for index in people.views[batch].tolist()]
        inputs, affines[batch] = heads_of(people[batch], shown_by)
        (logits[batch],) = run(inputs)
    return place_masks(logits, affines, people.boxes, size)
