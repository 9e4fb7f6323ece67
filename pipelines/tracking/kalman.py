"""Kalman filters of many boxes at once: center, width, height and a point of the body, each with its speed.

The model of BoT-SORT (Aharon et al. 2022): the six values move independently of each other, each at a speed
that hardly changes, and all noise grows with the box. So each filter is six of two numbers, and the matrices
are written out.
"""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from ...models.types import F32, I64

F64 = npt.NDArray[np.float64]

_PLACE, _SPEED, _MEASURED = 0.05, 0.00625, 0.05  # standard deviations, in shares of the box's sides
_SIDES = np.array([2, 3, 2, 3, 2, 3])  # by which of the values the noise of each grows
_SMALLEST = 1e-3  # side of a box in pixels
_SAME_STEP_S = 0.004  # by which time stamps are off: a step that is no farther off counts as a usual one


@dataclass(slots=True)
class BoxFilters:
    """N filters; lengths in pixels, speeds in pixels per frame.

    Attributes:
        place: (N, 6) center x and y, width, height, and x and y of a point of the body.
        speed: (N, 6) of these.
        pp: (N, 6) variances of the places.
        pv: (N, 6) covariances of places and speeds.
        vv: (N, 6) variances of the speeds.
    """

    place: F64
    speed: F64
    pp: F64
    pv: F64
    vv: F64

    @classmethod
    def of(cls, boxes: F32, points: F32) -> "BoxFilters":
        """Filters that begin with (N, 4) boxes x1 y1 x2 y2 and (N, 2) points, at rest."""
        place = _measured(boxes, points)
        sides = place[:, _SIDES]
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
        return _corners(self.place[:, :2], self.place[:, 2:4])

    def bodies(self) -> F64:
        """(N, 4) x1 y1 x2 y2 of boxes of the same size around the points."""
        return _corners(self.place[:, 4:], self.place[:, 2:4])

    def ahead(self, step: float) -> F64:
        """(N, 4) boxes x1 y1 x2 y2, ``step`` frames from now."""
        place = self.place[:, :4] + step * self.speed[:, :4]
        return _corners(place[:, :2], np.maximum(place[:, 2:], 1.0))

    def predict(self, step: float, fps: float) -> None:
        """Move on by ``step`` usual frames of a source with this rate.

        A step of another length than usual adds the noise of a random acceleration over its time.
        """
        sides = np.maximum(self.place[:, _SIDES], _SMALLEST)
        speed = (_SPEED * sides) ** 2
        if abs(step - 1) <= _SAME_STEP_S * fps:
            noise = (_PLACE * sides) ** 2, 0.0, speed
        else:
            noise = speed * step**4 / 4, speed * step**3 / 2, speed * step**2
        self.place = self.place + step * self.speed
        self.pp = self.pp + 2 * step * self.pv + step**2 * self.vv + noise[0]
        self.pv = self.pv + step * self.vv + noise[1]
        self.vv = self.vv + noise[2]
        np.maximum(self.place[:, 2:4], _SMALLEST, out=self.place[:, 2:4])

    def update(self, rows: I64, boxes: F32, points: F32) -> None:
        """Take in where some of them, (M,) ``rows``, were seen: (M, 4) boxes x1 y1 x2 y2, (M, 2) points."""
        place, pp, pv = self.place[rows], self.pp[rows], self.pv[rows]
        noise = (_MEASURED * np.maximum(place[:, _SIDES], _SMALLEST)) ** 2
        gain, speed_gain = pp / (pp + noise), pv / (pp + noise)
        off = _measured(boxes, points) - place
        place += gain * off
        np.maximum(place[:, 2:4], _SMALLEST, out=place[:, 2:4])
        self.place[rows] = place
        self.speed[rows] += speed_gain * off
        self.pp[rows] = (1 - gain) ** 2 * pp + gain**2 * noise
        self.pv[rows] = (1 - gain) * (pv - speed_gain * pp) + gain * speed_gain * noise
        self.vv[rows] += speed_gain**2 * (pp + noise) - 2 * speed_gain * pv


def _measured(boxes: F32, points: F32) -> F64:
    corners = np.asarray(boxes, np.float64)
    sides = corners[:, 2:] - corners[:, :2]
    return np.concatenate([corners[:, :2] + sides / 2, sides, np.asarray(points, np.float64)], 1)


def _corners(middles: F64, sides: F64) -> F64:
    half = sides / 2
    return np.concatenate([middles - half, middles + half], 1)
