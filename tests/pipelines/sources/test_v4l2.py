"""What a camera says of itself is read as the kernel's interface (linux/videodev2.h) lays it out."""

import struct

import pytest
from sepcam.pipelines.sources.v4l2 import (
    ENUM_FMT,
    ENUM_FRAMEINTERVALS,
    ENUM_FRAMESIZES,
    QUERYCAP,
    CameraMode,
    describe,
    list_cameras,
)

MJPG, YUYV = (int.from_bytes(name, "little") for name in (b"MJPG", b"YUYV"))
VIDEO, META = 0x85200001, 0x84A00000  # what uvcvideo says of its two devices
SIZES = {MJPG: [(1280, 720), (640, 480)], YUYV: [(640, 480)]}
RATES = {(MJPG, 1280): [(1, 30)], (MJPG, 640): [(1, 60), (1, 30)], (YUYV, 640): [(2, 15)]}


def driver(card=b"HD Webcam", caps=VIDEO, stepwise=False):
    """Answers like the driver of a webcam, with bytes laid out by hand."""

    def ioctl(device, request, into):
        raw = memoryview(into).cast("B")
        if request == QUERYCAP:
            raw[:] = struct.pack(
                "16s32s32sII I12x", b"uvcvideo", card, b"usb-1", 0x60100, caps | 1 << 31, caps
            )
            return
        index = struct.unpack_from("I", raw)[0]
        try:
            if request == ENUM_FMT:
                struct.pack_into("I", raw, 44, list(SIZES)[index])
            elif request == ENUM_FRAMESIZES and stepwise:
                struct.pack_into("I6I", raw, 8, 3, 160, 1920, 8, 120, 1080, 8)
            elif request == ENUM_FRAMESIZES:
                struct.pack_into("I2I", raw, 8, 1, *SIZES[struct.unpack_from("I", raw, 4)[0]][index])
            elif request == ENUM_FRAMEINTERVALS:
                pixels, width = struct.unpack_from("2I", raw, 4)
                struct.pack_into("I2I", raw, 16, 1, *RATES[pixels, width][index])
        except (IndexError, KeyError):
            raise OSError(22, "Invalid argument") from None

    return ioctl


def test_the_numbers_of_the_requests_are_the_kernels():
    assert (QUERYCAP, ENUM_FMT) == (0x80685600, 0xC0405602)
    assert (ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS) == (0xC02C564A, 0xC034564B)


def test_name_sizes_and_rates_are_told_the_largest_size_first():
    camera = describe(2, 0, driver())
    assert (camera.number, camera.name) == (2, "HD Webcam")
    # The rates of all formats together: 7.5 is what the uncompressed one manages.
    assert camera.modes == (CameraMode(1280, 720, (30.0,)), CameraMode(640, 480, (60.0, 30.0, 7.5)))


def test_sizes_in_steps_are_told_by_the_largest():
    assert describe(0, 0, driver(stepwise=True)).modes[0].width == 1920


def test_a_device_that_takes_no_pictures_is_left_out():
    assert describe(1, 0, driver(caps=META)) is None


def test_a_device_that_does_not_answer_is_left_out():
    def broken(device, request, into):
        raise OSError(25, "Inappropriate ioctl for device")

    assert describe(1, 0, broken) is None


def test_the_cameras_of_this_machine_can_be_asked():
    assert all(camera.name for camera in list_cameras())


@pytest.mark.parametrize("caps", [VIDEO, VIDEO | 2])
def test_what_the_device_itself_can_do_counts(caps):
    assert describe(0, 0, driver(caps=caps)) is not None
