"""Kalman filters of many boxes at once: center, width and height, each with its speed.

The model of BoT-SORT (Aharon et al. 2022): the four values move independently of each other, each at a speed
that hardly changes, and all noise grows with the box. So each filter is four of two numbers, and the matrices
are written out.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ...models.types import F32, I64

F64 = npt.NDArray[np.float64]

_PLACE, _SPEED, _MEASURED = 0.05, 0.00625, 0.05  # standard deviations, in shares of the box's sides
_SMALLEST = 1e-3  # side of a box in pixels
_SAME_STEP_S = 0.004  # by which time stamps are off: a step that is no farther off counts as a usual one


@dataclass(slots=True)
class BoxFilters:
    """N filters; lengths in pixels, speeds in pixels per frame.

    Attributes:
        place: (N, 4) center x and y, width, height.
        speed: (N, 4) of these.
        pp: (N, 4) variances of the places.
        pv: (N, 4) covariances of places and speeds.
        vv: (N, 4) variances of the speeds.
    """

    place: F64
    speed: F64
    pp: F64
    pv: F64
    vv: F64

    @classmethod
    def of(cls, boxes: F32) -> "BoxFilters":
        """Filters that begin with (N, 4) boxes x1 y1 x2 y2, at rest."""
        place = _centered(boxes)
        sides = np.tile(place[:, 2:], 2)
        nothing = np.zeros_like(place)
        return cls(place, nothing, (2 * _PLACE * sides) ** 2, nothing.copy(), (10 * _SPEED * sides) ** 2)

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, rows: I64 | npt.NDArray[np.bool_]) -> "BoxFilters":
        return BoxFilters(*(getattr(self, field.name)[rows] for field in fields(self)))

    def joined(self, others: "BoxFilters") -> "BoxFilters":
        """These, then the others."""
        pairs = ((getattr(self, field.name), getattr(others, field.name)) for field in fields(self))
        return BoxFilters(*(np.concatenate(pair) for pair in pairs))

    def boxes(self) -> F64:
        """(N, 4) x1 y1 x2 y2."""
        return _corners(self.place)

    def ahead(self, step: float) -> F64:
        """(N, 4) boxes x1 y1 x2 y2, ``step`` frames from now."""
        place = self.place + step * self.speed
        np.maximum(place[:, 2:], 1.0, out=place[:, 2:])
        return _corners(place)

    def predict(self, step: float, fps: float) -> None:
        """Move on by ``step`` usual frames of a source with this rate.

        A step of another length than usual adds the noise of a random acceleration over its time.
        """
        sides = np.maximum(np.tile(self.place[:, 2:], 2), _SMALLEST)
        speed = (_SPEED * sides) ** 2
        if abs(step - 1) <= _SAME_STEP_S * fps:
            noise = (_PLACE * sides) ** 2, 0.0, speed
        else:
            noise = speed * step**4 / 4, speed * step**3 / 2, speed * step**2
        self.place = self.place + step * self.speed
        self.pp = self.pp + 2 * step * self.pv + step**2 * self.vv + noise[0]
        self.pv = self.pv + step * self.vv + noise[1]
        self.vv = self.vv + noise[2]
        np.maximum(self.place[:, 2:], _SMALLEST, out=self.place[:, 2:])

    def update(self, rows: I64, boxes: F32) -> None:
        """Take in where some of them, (M,) ``rows``, were seen: (M, 4) boxes x1 y1 x2 y2."""
        place, pp, pv = self.place[rows], self.pp[rows], self.pv[rows]
        noise = (_MEASURED * np.maximum(np.tile(place[:, 2:], 2), _SMALLEST)) ** 2
        gain, speed_gain = pp / (pp + noise), pv / (pp + noise)
        off = _centered(boxes) - place
        place += gain * off
        np.maximum(place[:, 2:], _SMALLEST, out=place[:, 2:])
        self.place[rows] = place
        self.speed[rows] += speed_gain * off
        self.pp[rows] = (1 - gain) ** 2 * pp + gain**2 * noise
        self.pv[rows] = (1 - gain) * (pv - speed_gain * pp) + gain * speed_gain * noise
        self.vv[rows] += speed_gain**2 * (pp + noise) - 2 * speed_gain * pv


def _centered(boxes: F32) -> F64:
    corners = np.asarray(boxes, np.float64)
    sides = corners[:, 2:] - corners[:, :2]
    return np.concatenate([corners[:, :2] + sides / 2, sides], 1)


def _corners(place: F64) -> F64:
    half = place[:, 2:] / 2
    return np.concatenate([place[:, :2] - half, place[:, :2] + half], 1)
