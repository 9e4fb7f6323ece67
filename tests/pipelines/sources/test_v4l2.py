"""What a camera says of itself is read as the kernel's interface (linux/videodev2.h) lays it out."""

import struct

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.sources.v4l2 import (
    ENUM_FMT,
    ENUM_FRAMEINTERVALS,
    ENUM_FRAMESIZES,
    QUERY_CONTROL,
    QUERYCAP,
    SET_CONTROL,
    CameraMode,
    describe,
    expose,
    list_cameras,
)

MJPG, YUYV = (int.from_bytes(name, "little") for name in (b"MJPG", b"YUYV"))
VIDEO, META = 0x85200001, 0x84A00000  # what uvcvideo says of its two devices
SIZES = {MJPG: [(1280, 720), (640, 480)], YUYV: [(640, 480)]}
RATES = {(MJPG, 1280): [(1, 30)], (MJPG, 640): [(1, 60), (1, 30)], (YUYV, 640): [(2, 15)]}


MODE, EXPOSURE = 0x009A0901, 0x009A0902


def control(controls, there, request, raw):
    """Answers requests about controls: their values, and which are set."""
    number = struct.unpack_from("I", raw)[0]
    if request == QUERY_CONTROL:
        struct.pack_into("2i", raw, 40, controls[number][0], controls[number][-1])
    elif request == SET_CONTROL:
        (value,) = struct.unpack_from("i", raw, 4)
        if value not in controls[number]:
            raise KeyError
        there.append((number, value))


def driver(card=b"HD Webcam", caps=VIDEO, stepwise=False, controls=None):
    """Answers like the driver of a webcam, with bytes laid out by hand.

    ``controls`` are the values that may be set, by the control's number; ``set`` are those that were.
    """
    controls = {MODE: (1, 3), EXPOSURE: range(3, 2048)} if controls is None else controls
    there = []

    def ioctl(device, request, into):
        raw = memoryview(into).cast("B")
        if request == QUERYCAP:
            raw[:] = struct.pack(
                "16s32s32sII I12x", b"uvcvideo", card, b"usb-1", 0x60100, caps | 1 << 31, caps
            )
            return
        index = struct.unpack_from("I", raw)[0]
        try:
            control(controls, there, request, raw)
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

    ioctl.set = there
    return ioctl


def test_the_numbers_of_the_requests_are_the_kernels():
    assert (QUERYCAP, ENUM_FMT) == (0x80685600, 0xC0405602)
    assert (ENUM_FRAMESIZES, ENUM_FRAMEINTERVALS) == (0xC02C564A, 0xC034564B)
    assert (SET_CONTROL, QUERY_CONTROL) == (0xC008561C, 0xC0445624)


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


def test_an_exposure_is_told_and_set():
    webcam = driver()
    assert describe(0, 0, webcam).exposure_ms == (0.3, 204.7)
    expose(0, 0, webcam, 12.5)
    expose(0, 0, webcam, "auto")
    assert webcam.set == [(MODE, 1), (EXPOSURE, 125), (MODE, 3)]

    always_manual = driver(controls={EXPOSURE: range(1, 100)})
    expose(0, 0, always_manual, 5)
    assert always_manual.set == [(EXPOSURE, 50)]


@pytest.mark.parametrize(
    ("controls", "asked", "problem"),
    [
        ({}, 5.0, "the exposure of camera 4 cannot be set: leave --exposure out"),
        ({EXPOSURE: range(1, 100)}, 900.0, "--exposure 900: camera 4 exposes for 0.1 to 9.9 ms"),
        ({EXPOSURE: range(1, 100)}, "auto", "camera 4 has no automatic exposure"),
        ({EXPOSURE: (1, 100)}, 5.0, "camera 4 refuses an exposure of 5 ms"),
    ],
)
def test_an_exposure_that_is_not_offered_is_refused(controls, asked, problem):
    webcam = driver(controls=controls)
    with pytest.raises(SepcamError) as refused:
        expose(4, 0, webcam, asked)
    assert str(refused.value).startswith(problem)
    assert webcam.set == []
