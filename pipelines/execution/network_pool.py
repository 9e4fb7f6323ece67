"""Networks that are loaded while a live image runs, so that a switch never stops it."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

import numpy as np

from ...models.errors import SepcamError
from ...models.runtime.options import RuntimeOptions
from ...models.types import ALL_PARTS, DEFAULT_POSE, ConvKind, Detector, OnePassNetwork, Part, PoseEstimator
from ...models.weights.store import WeightStore
from ...models.zoo import load_detector, load_pose
from .background import BACKGROUND
from .locked_networks import shared, shared_detector, shared_pose
from .network_set import NetworkSet

CLOSE_S: Final = 1.0
"""Seconds that ``close`` waits for a network that is being loaded."""

RESIDENT: Final = 4
"""Choices that a pool keeps: the one at work, and a few to switch to without loading them again."""

RETRY_S: Final = 10.0
"""Seconds after which networks that could not be loaded may be tried again."""

_WARM_PEOPLE = 7  # a batch of 4, one of 2 and one of 1: every batch size that is compiled has run once
_WARM_SIZE = (480, 640)


@dataclass(frozen=True, slots=True)
class NetworkChoice:
    """Which networks are wanted.

    Attributes:
        detector: name in the registry.
        backbone: kind of the convolutions of both networks.
        parts: what is wanted of people beside their boxes.
        size: (height, width) of the detector's input, None for the usual one.
    """

    detector: str
    backbone: ConvKind = "separable"
    parts: frozenset[Part] = frozenset(("pose", "segment"))
    size: tuple[int, int] | None = None


DetectorKey = tuple[str, ConvKind, tuple[int, int] | None, bool]
LoadDetector = Callable[[str, ConvKind, tuple[int, int] | None, bool], Detector]
LoadPose = Callable[[ConvKind, bool], PoseEstimator]


class NetworkPool:
    """Loads networks, hands out those that are ready, and releases those that are no longer used.

    Any thread may ask, and any number of threads may use what they get: each network is loaded once, and
    computes for one thread at a time. The pool keeps the last few choices; an older one is released as soon
    as nobody runs it any more.
    """

    def __init__(
        self,
        load_detector: LoadDetector,
        load_pose: LoadPose,
        *,
        resident: int = RESIDENT,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start without networks.

        Args:
            load_detector: returns a detector by name, backbone and input size, and with or without the masks
                that it may find itself.
            load_pose: returns the pose network with a backbone, and with or without its masks.
            resident: choices that are kept although nobody may be using them, from 1.
            retry_s: seconds after a failure in which the same choice fails at once; later it is tried again.
            clock: seconds, monotonic.
        """
        self._load_detector, self._load_pose = load_detector, load_pose
        self._resident, self._retry_s, self._clock = resident, retry_s, clock
        self._recent: OrderedDict[NetworkChoice, NetworkSet] = OrderedDict()
        self._failed: dict[NetworkChoice, tuple[float, str]] = {}
        self._waiting: list[NetworkChoice] = []
        # Whatever is in use anywhere, also when the pool itself has let go of it.
        self._poses: WeakValueDictionary[tuple[ConvKind, bool], PoseEstimator] = WeakValueDictionary()
        self._detectors: WeakValueDictionary[DetectorKey, Detector] = WeakValueDictionary()
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @classmethod
    def of(
        cls,
        pose: str = DEFAULT_POSE,
        *,
        options: RuntimeOptions | None = None,
        store: WeightStore | None = None,
        max_people: int = 16,
        size_of: Callable[[str], tuple[int, int] | int | None] = lambda name: None,
        source_of: Callable[[str], str] = lambda name: name,
    ) -> "NetworkPool":
        """A pool of the registry's networks.

        Args:
            pose: name of the pose network.
            options: what runs them; None is automatic.
            store: where weights are kept; None is the user's cache.
            max_people: the most people in a frame worth preparing for.
            size_of: the input size of a detector by its name, as ``load_detector`` takes it, where a choice
                names none.
            source_of: what ``load_detector`` takes for a detector by its name: a file or a class, perhaps.
        """

        def detector(name: str, backbone: ConvKind, size: tuple[int, int] | None, masks: bool) -> Detector:
            return load_detector(
                source_of(name),
                backbone=backbone,
                input_size=size or size_of(name),
                parts=ALL_PARTS if masks else ALL_PARTS - {"segment"},
                options=options,
                store=store,
            )

        def estimator(backbone: ConvKind, masks: bool) -> PoseEstimator:
            return load_pose(
                pose, backbone=backbone, options=options, store=store, max_people=max_people, masks=masks
            )

        return cls(detector, estimator)

    def add(self, choice: NetworkChoice, networks: NetworkSet) -> None:
        """Takes in networks that were loaded elsewhere."""
        with self._changed:
            self._keep(choice, shared(networks))

    def take(self, choice: NetworkChoice) -> NetworkSet | None:
        """The networks if they are ready; otherwise None at once, and they are prepared in the background.

        Raises:
            SepcamError: If they could not be loaded a moment ago (``retry_s``).
        """
        with self._changed:
            networks = self._find(choice)
            if networks is not None:
                return networks
            failed_at, why = self._failed.get(choice, (-math.inf, ""))
            if self._clock() - failed_at < self._retry_s:
                raise SepcamError(why)
            if not self._closed:
                self._order(choice)
            return None

    def wait(self, choice: NetworkChoice) -> NetworkSet:
        """The networks, however long it takes; a choice that failed before is tried again.

        Raises:
            SepcamError: If they are unavailable, or the pool was closed.
        """
        with self._changed:
            while (networks := self._find(choice)) is None:
                if not self._closed:
                    self._order(choice)
                self._changed.wait_for(lambda: self._closed or choice not in self._waiting)
                if self._closed:
                    raise SepcamError("stopped before the networks were ready")
                if choice in self._failed:
                    raise SepcamError(self._failed[choice][1])
            return networks

    def preparing(self) -> tuple[NetworkChoice, ...]:
        """What is being loaded, or waits for it."""
        with self._changed:
            return tuple(self._waiting)

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """Load nothing more; waits at most `timeout_s` for what is being loaded.

        Returns:
            Whether nothing is being loaded any more. An interpreter that ends while native code loads a
            network crashes: leave with ``os._exit`` then.
        """
        with self._changed:
            self._closed = True
            del self._waiting[1:]
            self._changed.notify_all()
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _order(self, choice: NetworkChoice) -> None:
        if choice in self._waiting:
            return
        self._failed.pop(choice, None)
        self._waiting.append(choice)
        if self._thread is None or not self._thread.is_alive():
            self._thread = BACKGROUND.thread("networks", self._work)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                if self._closed or not self._waiting:
                    self._thread = None
                    return
                choice = self._waiting[0]
            try:
                outcome: NetworkSet | str = self._load(choice)
            except SepcamError as error:
                outcome = str(error)
            except Exception as error:
                # The video continues with the networks that it has.
                outcome = f"{choice.detector} ({choice.backbone}): {type(error).__name__}: {error}"
            with self._changed:
                self._waiting.remove(choice)
                if isinstance(outcome, str):
                    self._failed[choice] = self._clock(), outcome
                else:
                    self._keep(choice, outcome)
                self._changed.notify_all()

    def _find(self, choice: NetworkChoice) -> NetworkSet | None:
        """Networks that are loaded, kept or in use elsewhere."""
        networks = self._recent.get(choice)
        if networks is None:
            detector = self._detectors.get(_key(choice))
            if detector is None:
                return None
            missing = choice.parts - detector.parts
            pose = self._poses.get((choice.backbone, "segment" in missing)) if missing else None
            if missing and pose is None:
                return None
            networks = NetworkSet(detector, pose, choice.backbone)
        self._keep(choice, networks)
        return networks

    def _keep(self, choice: NetworkChoice, networks: NetworkSet) -> None:
        """Make a choice the most recent one, and let go of the oldest."""
        self._failed.pop(choice, None)
        self._recent[choice] = networks
        self._recent.move_to_end(choice)
        while len(self._recent) > self._resident:
            self._recent.popitem(last=False)
        self._detectors[_key(choice)] = networks.detector
        if not isinstance(networks.detector, OnePassNetwork):  # one that finds only boxes serves both
            self._detectors[_key(choice, not _masks(choice))] = networks.detector
        if networks.pose is not None:
            missing = choice.parts - networks.detector.parts
            self._poses[choice.backbone, "segment" in missing] = networks.pose

    def _load(self, choice: NetworkChoice) -> NetworkSet:
        key = _key(choice)
        detector = self._detectors.get(key)
        if detector is None:
            detector = shared_detector(self._load_detector(*key))
            detector.detect(_blank())
        missing = choice.parts - detector.parts
        if not missing:
            return NetworkSet(detector, None, choice.backbone)
        # With and without masks are two: only what is needed is compiled.
        masks = "segment" in missing
        pose = self._poses.get((choice.backbone, masks))
        if pose is None:
            pose = shared_pose(self._load_pose(choice.backbone, masks))
            rois = np.tile(np.array([320, 240, 200, 0], np.float32), (_WARM_PEOPLE, 1))
            pose.estimate(_blank(), rois, masks=masks)
        return NetworkSet(detector, pose, choice.backbone)


def _masks(choice: NetworkChoice) -> bool:
    return "segment" in choice.parts


def _key(choice: NetworkChoice, masks: bool | None = None) -> DetectorKey:
    """Which detector a choice needs: as for pose networks, with and without masks are two."""
    return choice.detector, choice.backbone, choice.size, _masks(choice) if masks is None else masks


def _blank() -> np.ndarray:
    return np.zeros((*_WARM_SIZE, 3), np.uint8)
