"""NetworkSet that are loaded beside a running picture, so that a switch never stops it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ...models.errors import SepcamError
from ...models.runtime.options import RuntimeOptions
from ...models.types import ConvKind, Detector, Part, PoseEstimator
from ...models.weights.store import WeightStore
from ...models.zoo import load_detector, load_pose
from .locked_networks import shared_detector, shared_pose
from .network_set import NetworkSet

CLOSE_S: Final = 1.0
"""Seconds that ``close`` waits for a network that is being loaded."""

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


LoadDetector = Callable[[str, ConvKind, tuple[int, int] | None], Detector]
LoadPose = Callable[[ConvKind, bool], PoseEstimator]


class NetworkPool:
    """Loads networks, keeps them, and gives out those that are ready.

    Any thread may ask, and any number of threads may use what they get: each network is there once, and
    computes for one thread at a time.
    """

    def __init__(self, load_detector: LoadDetector, load_pose: LoadPose) -> None:
        """Nothing is loaded yet.

        Args:
            load_detector: gives a detector by name, backbone and input size.
            load_pose: gives the pose network with a backbone, and with or without its masks.
        """
        self._load_detector, self._load_pose = load_detector, load_pose
        self._ready: dict[NetworkChoice, NetworkSet] = {}
        self._failed: dict[NetworkChoice, str] = {}
        self._waiting: list[NetworkChoice] = []
        self._poses: dict[tuple[ConvKind, bool], PoseEstimator] = {}
        self._detectors: dict[tuple[str, ConvKind, tuple[int, int] | None], Detector] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @classmethod
    def of(
        cls,
        pose: str = "blazepose-full",
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

        def detector(name: str, backbone: ConvKind, size: tuple[int, int] | None) -> Detector:
            wanted = size or size_of(name)
            return load_detector(
                source_of(name), backbone=backbone, input_size=wanted, options=options, store=store
            )

        def estimator(backbone: ConvKind, masks: bool) -> PoseEstimator:
            return load_pose(
                pose, backbone=backbone, options=options, store=store, max_people=max_people, masks=masks
            )

        return cls(detector, estimator)

    def add(self, choice: NetworkChoice, networks: NetworkSet) -> None:
        """Takes in networks that were loaded elsewhere."""
        pose = None if networks.pose is None else shared_pose(networks.pose)
        with self._changed:
            self._keep(choice, NetworkSet(shared_detector(networks.detector), pose, networks.backbone))

    def take(self, choice: NetworkChoice) -> NetworkSet | None:
        """The networks if they are ready; otherwise None at once, and they are prepared in the background.

        Raises:
            SepcamError: If they were tried and cannot be had.
        """
        with self._changed:
            if choice in self._failed:
                raise SepcamError(self._failed[choice])
            if choice not in self._ready and not self._closed:
                self._order(choice)
            return self._ready.get(choice)

    def wait(self, choice: NetworkChoice) -> NetworkSet:
        """The networks, however long it takes.

        Raises:
            SepcamError: If they cannot be had, or the pool was closed.
        """
        while True:
            networks = self.take(choice)
            if networks is not None:
                return networks
            with self._changed:
                if self._closed:
                    raise SepcamError("stopped before the networks were ready")
                if choice not in self._ready and choice not in self._failed:
                    self._changed.wait()

    def preparing(self) -> tuple[NetworkChoice, ...]:
        """What is being loaded, or waits for it."""
        with self._changed:
            return tuple(self._waiting)

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """Load nothing more; waits for what is being loaded, up to so many seconds.

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
        self._waiting.append(choice)
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._work, name="sepcam-networks", daemon=True)
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
                # The picture goes on with the networks that it has.
                outcome = f"{choice.detector} ({choice.backbone}): {type(error).__name__}: {error}"
            with self._changed:
                self._waiting.remove(choice)
                if isinstance(outcome, str):
                    self._failed[choice] = outcome
                else:
                    self._keep(choice, outcome)
                self._changed.notify_all()

    def _keep(self, choice: NetworkChoice, networks: NetworkSet) -> None:
        self._ready[choice] = networks
        self._detectors[choice.detector, choice.backbone, choice.size] = networks.detector
        if networks.pose is not None:
            self._poses[choice.backbone, "segment" in choice.parts] = networks.pose

    def _load(self, choice: NetworkChoice) -> NetworkSet:
        key = choice.detector, choice.backbone, choice.size
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


def _blank() -> np.ndarray:
    return np.zeros((*_WARM_SIZE, 3), np.uint8)
