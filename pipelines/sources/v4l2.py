"""The cameras of this machine: names, sizes, rates and exposure, by the kernel's V4L2 interface.

linuxpy 0.25 was tried in its place: it reads the same lists, but raises ValueError on a pixel format that it
does not know, so that a camera with one format of its maker's has no sizes at all.
"""

import contextlib
import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from ...models.errors import SepcamError

Exposure = float | Literal["auto"]
"""Milliseconds, or left to the camera."""

Ioctl = Callable[[int, int, Any], Any]

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_CAP_VIDEO_CAPTURE alike
_DISCRETE = 1
_DEVICE_CAPS = 1 << 31
_EXPOSURE_MODE: Final = 0x009A0901  # V4L2_CID_EXPOSURE_AUTO
_EXPOSURE: Final = 0x009A0902  # V4L2_CID_EXPOSURE_ABSOLUTE, in units of 0.1 ms
_MANUAL, _AUTOMATIC = 1, (3, 0)  # webcams have 3 (aperture priority) for automatic, others 0


@dataclass(frozen=True, slots=True)
class CameraMode:
    """A size that a camera offers.

    Attributes:
        width: pixels.
        height: pixels.
        rates: frames per second that it offers at that size, in its best format; empty where it does not say.
    """

    width: int
    height: int
    rates: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """A camera.

    Attributes:
        number: what ``sepcam live`` calls it.
        name: what its maker calls it.
        modes: sizes that it offers, the largest first; empty where the system does not tell.
        exposure_ms: the shortest and the longest exposure to choose, or None where there is no choice.
    """

    number: int
    name: str
    modes: tuple[CameraMode, ...] = ()
    exposure_ms: tuple[float, float] | None = None


# The structures of linux/videodev2.h, as far as they are read here.


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class Format(ctypes.Structure):
    """struct v4l2_fmtdesc."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_uint32),
        ("mbus_code", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class FrameSize(ctypes.Structure):
    """struct v4l2_frmsizeenum; stepwise: least width, largest width, ..."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("values", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


class FrameInterval(ctypes.Structure):
    """struct v4l2_frmivalenum; the first two values are a fraction of a second."""

    _fields_ = (
        ("index", ctypes.c_uint32),
        ("pixel_format", ctypes.c_uint32),
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("values", ctypes.c_uint32 * 6),
        ("reserved", ctypes.c_uint32 * 2),
    )


class Control(ctypes.Structure):
    """struct v4l2_control."""

    _fields_ = (("id", ctypes.c_uint32), ("value", ctypes.c_int32))


class ControlQuery(ctypes.Structure):
    """struct v4l2_queryctrl."""

    _fields_ = (
        ("id", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("name", ctypes.c_char * 32),
        ("minimum", ctypes.c_int32),
        ("maximum", ctypes.c_int32),
        ("step", ctypes.c_int32),
        ("default_value", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    )


def _request(number: int, structure: type[ctypes.Structure], *, writes: bool = True) -> int:
    """The number of an ioctl of V4L2, as the macros _IOR and _IOWR make it."""
    return (3 if writes else 2) << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP = _request(0, Capability, writes=False)
ENUM_FMT = _request(2, Format)
SET_CONTROL = _request(28, Control)
QUERY_CONTROL = _request(36, ControlQuery)
ENUM_FRAMESIZES = _request(74, FrameSize)
ENUM_FRAMEINTERVALS = _request(75, FrameInterval)


def cameras() -> list[int]:
    """The numbers of the cameras that are there, as far as the system tells without opening them (Linux)."""
    numbers = (re.fullmatch(r"video(\d+)", path.name) for path in Path("/dev").glob("video*"))
    return sorted(int(match[1]) for match in numbers if match)


def list_cameras() -> list[CameraInfo]:
    """The cameras that are there, by number; only Linux tells what they offer without opening them."""
    found = []
    for number in cameras():
        if sys.platform != "linux":
            found.append(CameraInfo(number, f"camera {number}"))
            continue
        import fcntl

        path = Path(f"/dev/video{number}")
        try:
            device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        except OSError as error:
            found.append(CameraInfo(number, f"{path}: {error.strerror or error}"))
            continue
        with contextlib.closing(os.fdopen(device, "rb", buffering=0)):
            info = describe(number, device, fcntl.ioctl)
        if info is not None:
            found.append(info)
    return found


def describe(number: int, device: int, ioctl: Ioctl) -> CameraInfo | None:
    """What a video device says of itself; None where it does not capture video (cameras come with such).

    Args:
        number: of the camera.
        device: its open file.
        ioctl: like ``fcntl.ioctl``; fills the structure that it is given, and raises OSError at the end of a
            list.
    """
    capability = Capability()
    try:
        ioctl(device, QUERYCAP, capability)
    except OSError:
        return None
    flags = capability.device_caps if capability.capabilities & _DEVICE_CAPS else capability.capabilities
    if not flags & _CAPTURE:
        return None
    rates: dict[tuple[int, int], set[float]] = {}
    for form in _listed(device, ioctl, ENUM_FMT, lambda: Format(type=_CAPTURE)):
        pixels = form.pixelformat
        for size in _listed(device, ioctl, ENUM_FRAMESIZES, lambda p=pixels: FrameSize(pixel_format=p)):
            values = size.values
            width, height = (values[0], values[1]) if size.type == _DISCRETE else (values[1], values[4])
            offered = rates.setdefault((width, height), set())
            intervals = _listed(
                device,
                ioctl,
                ENUM_FRAMEINTERVALS,
                lambda p=pixels, w=width, h=height: FrameInterval(pixel_format=p, width=w, height=h),
            )
            offered |= {round(i.values[1] / i.values[0], 2) for i in intervals if i.values[0]}
    modes = (CameraMode(w, h, tuple(sorted(offered, reverse=True))) for (w, h), offered in rates.items())
    largest_first = tuple(sorted(modes, key=lambda mode: -mode.width * mode.height))
    name = capability.card.decode(errors="replace")
    return CameraInfo(number, name, largest_first, _exposures(device, ioctl))


def set_exposure(number: int, exposure: Exposure) -> None:
    """Sets how long a camera exposes each frame; it may be in use.

    Raises:
        SepcamError: If this system or the camera does not offer that.
    """
    if sys.platform != "linux":
        raise SepcamError("--exposure works on Linux only: leave it out")
    import fcntl

    path = Path(f"/dev/video{number}")
    try:
        device = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        raise SepcamError(f"{path}: {error.strerror or error}") from error
    with contextlib.closing(os.fdopen(device, "rb", buffering=0)):
        expose(number, device, fcntl.ioctl, exposure)


def expose(number: int, device: int, ioctl: Ioctl, exposure: Exposure) -> None:
    """Sets the exposure of an open device.

    Args:
        number: of the camera.
        device: its open file.
        ioctl: like ``fcntl.ioctl``.
        exposure: to set.

    Raises:
        SepcamError: If the camera does not offer that.
    """
    offered = _exposures(device, ioctl)
    if offered is None:
        raise SepcamError(f"the exposure of camera {number} cannot be set: leave --exposure out")
    if exposure == "auto":
        if not any(_set(device, ioctl, _EXPOSURE_MODE, mode) for mode in _AUTOMATIC):
            raise SepcamError(f"camera {number} has no automatic exposure: give --exposure milliseconds")
        return
    least, most = offered
    if not least <= exposure <= most:
        raise SepcamError(f"--exposure {exposure:g}: camera {number} exposes for {least:g} to {most:g} ms")
    _set(device, ioctl, _EXPOSURE_MODE, _MANUAL)  # some have no other mode, and not this control
    if not _set(device, ioctl, _EXPOSURE, round(exposure * 10)):
        raise SepcamError(f"camera {number} refuses an exposure of {exposure:g} ms: leave --exposure out")


def _exposures(device: int, ioctl: Ioctl) -> tuple[float, float] | None:
    query = ControlQuery(id=_EXPOSURE)
    try:
        ioctl(device, QUERY_CONTROL, query)
    except OSError:
        return None
    return query.minimum / 10, query.maximum / 10


def _set(device: int, ioctl: Ioctl, control: int, value: int) -> bool:
    try:
        ioctl(device, SET_CONTROL, Control(control, value))
    except OSError:
        return False
    return True


def _listed(device: int, ioctl: Ioctl, request: int, make: Callable[[], Any]) -> Iterator[Any]:
    """The entries of one of the driver's lists; one that varies in steps has a single entry."""
    for index in range(256):
        entry = make()
        entry.index = index
        try:
            ioctl(device, request, entry)
        except OSError:
            return
        yield entry
        if isinstance(entry, FrameSize | FrameInterval) and entry.type != _DISCRETE:
            return
