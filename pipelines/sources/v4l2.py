"""The cameras of this machine: names, sizes and rates, from the kernel's V4L2 interface.

linuxpy 0.25 was tried in its place: it reads the same lists, but raises ValueError on a pixel format that it
does not know, so that a camera with one format of its maker's has no sizes at all.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .camera import cameras

Ioctl = Callable[[int, int, Any], Any]

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE and V4L2_CAP_VIDEO_CAPTURE alike
_DISCRETE = 1
_DEVICE_CAPS = 1 << 31


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
    """

    number: int
    name: str
    modes: tuple[CameraMode, ...] = ()


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


def _request(number: int, structure: type[ctypes.Structure], *, writes: bool = True) -> int:
    """The number of an ioctl of V4L2, as the macros _IOR and _IOWR make it."""
    return (3 if writes else 2) << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP = _request(0, Capability, writes=False)
ENUM_FMT = _request(2, Format)
ENUM_FRAMESIZES = _request(74, FrameSize)
ENUM_FRAMEINTERVALS = _request(75, FrameInterval)


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
    return CameraInfo(number, capability.card.decode(errors="replace"), largest_first)


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
