"""What is drawn, where, and what stays untouched."""

import threading
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sepcam.models.errors import SepcamError
from sepcam.pipelines.drawing.colors import LEFT, RIGHT, color_of, ink_on
from sepcam.pipelines.drawing.hud import Hud
from sepcam.pipelines.drawing.options import LAYERS, DrawOptions
from sepcam.pipelines.drawing.overlay import Overlay
from sepcam.pipelines.drawing.text import Style, put_text, text_width
from sepcam.pipelines.drawing.zones import draw_counts
from sepcam.pipelines.events import ZoneCount
from sepcam.pipelines.execution.meter import MeterSnapshot
from sepcam.pipelines.fonts.bidi import visual
from sepcam.pipelines.types import Frame, FrameResult, Instances, MaskCrop

BONES = [(0, 1), (1, 2)]
METER = MeterSnapshot(29.97, 24.3, {"detect": 8.1, "pose": 12.0}, 40.0, 55.0, 100, 2)
GREY = 128


def picture(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def result(size, boxes=(), ids=None, keypoints=None, masks=None, meter=None) -> FrameResult:
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    n = len(boxes)
    found = Instances(
        size,
        boxes,
        np.full(n, 0.9, np.float32),
        np.zeros(n, np.int64),
        ("person",),
        None if ids is None else np.array(ids, np.int64),
        None if keypoints is None else np.array(keypoints, np.float32),
        None,
        masks,
    )
    return FrameResult(Frame(picture(*size), 0, 0.0), found, {}, meter)


def changed(image: np.ndarray) -> np.ndarray:
    """(H, W) bool, pixels that are not the background any more."""
    return (image != GREY).any(2)


def test_nothing_is_drawn_where_nothing_was_found():
    image = picture(240, 320)
    Overlay(BONES).draw(image, result((240, 320)))
    assert not changed(image).any()


def test_pixels_away_from_a_person_stay_as_they_are():
    image = picture(720, 1280)
    mask = MaskCrop(np.ones((200, 80), np.uint8), 500, 300)
    points = [[[510, 310, 1], [540, 400, 1], [560, 490, 1]]]
    Overlay(BONES).draw(image, result((720, 1280), [[500, 300, 580, 500]], [7], points, [mask]))
    touched = changed(image)
    touched[270:510, 490:660] = False
    assert not touched.any()


def test_a_mask_is_tinted_inside_outlined_and_nowhere_else():
    image = picture(100, 100)
    pixels = np.zeros((40, 40), np.uint8)
    pixels[10:30, 10:30] = 1
    Overlay().draw(image, result((100, 100), [[0, 0, 99, 99]], [3], None, [MaskCrop(pixels, 30, 30)]))
    color = np.array(color_of(3))
    assert np.abs(image[40, 50].astype(int) - color).max() < 12  # the outline, but for its smooth edge
    middle = image[50, 50].astype(int)
    assert ((middle - GREY) * (color - GREY) >= 0).all()  # the color shines through,
    assert not np.array_equal(middle, color)  # and so does the picture
    assert not changed(image)[62:90, 62:90].any()


def test_a_track_keeps_its_color_and_others_have_another():
    first, later = picture(200, 200), picture(200, 200)
    Overlay().draw(first, result((200, 200), [[20, 60, 80, 180]], [4]))
    Overlay().draw(later, result((200, 200), [[100, 60, 160, 180], [20, 60, 80, 180]], [4, 5]))
    assert np.array_equal(first[100, 20], later[100, 100])
    assert not np.array_equal(later[100, 20], later[100, 100])


def test_holes_in_a_mask_are_left_clear_and_outlined():
    image = picture(100, 100)
    pixels = np.ones((60, 60), np.uint8)
    pixels[20:40, 20:40] = 0
    Overlay().draw(image, result((100, 100), [[0, 0, 99, 99]], [3], None, [MaskCrop(pixels, 20, 20)]))
    assert not changed(image)[45:55, 45:55].any()
    assert np.abs(image[50, 39].astype(int) - color_of(3)).max() < 40


def test_a_mask_at_the_edge_of_the_picture_is_cut_off_there():
    image = picture(100, 100)
    mask = MaskCrop(np.ones((40, 40), np.uint8), 80, 90)
    Overlay().draw(image, result((100, 100), [[80, 90, 120, 130]], [3], None, [mask]))
    assert changed(image)[92:, 82:].all()


@settings(max_examples=60)
@given(
    hnp.arrays(np.float32, (3, 4), elements=st.floats(-50, 400, width=32)),
    st.tuples(st.integers(1, 260), st.integers(1, 340)),
)
def test_boxes_anywhere_and_pictures_of_any_size_can_be_drawn(boxes, size):
    image = picture(*size)
    boxes = np.concatenate(
        [np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], 1
    )
    Overlay(BONES, Hud("yolox-nano, separable")).draw(image, result(size, boxes, [1, 2, 3], meter=METER))
    assert image.shape == (*size, 3)


@settings(max_examples=60)
@given(st.integers(0, 318), st.integers(0, 238), st.integers(1, 320), st.integers(1, 240))
def test_a_label_never_leaves_the_picture(x, y, w, h):
    image = picture(240, 320)
    Overlay().draw(image, result((240, 320), [[x, y, min(x + w, 319), min(y + h, 239)]], [12]))
    style = Style.of(240, 320)
    label = text_width("#12 0.90", style.text) + 2 * style.pad
    solid = (image == np.array(color_of(12))).all(2)
    # Wherever it went, its whole width is there: a row that is solid but for the letters in it.
    assert max(np.convolve(row, np.ones(label), "valid").max(initial=0) for row in solid) >= label * 0.9


def test_labels_keep_clear_of_each_other_where_there_is_room():
    image = picture(240, 320)
    both = result((240, 320), [[100, 80, 160, 200], [104, 82, 164, 202]], [1, 2])
    Overlay().draw(image, both)
    style = Style.of(240, 320)
    least = text_width("#1 0.90", style.text) * style.text
    for number in (1, 2):
        assert (image == np.array(color_of(number))).all(2).sum() > least * 0.5


def test_a_label_without_room_above_does_not_cover_a_head():
    image = picture(240, 320)
    Overlay().draw(image, result((240, 320), [[100, 4, 140, 120]], [1]))
    solid = (image == np.array(color_of(1))).all(2)
    assert solid[8:20, 106:134].sum() == 0
    assert solid[122:132, 106:134].any()


def test_joints_that_are_not_there_are_not_drawn_and_limbs_end_at_the_border():
    boxes, size = [[0, 0, 99, 99]], (100, 100)
    certain, doubtful, outside = picture(*size), picture(*size), picture(*size)
    overlay = Overlay([(0, 1)])
    overlay.draw(certain, result(size, boxes, [1], [[[20, 50, 0.9], [80, 50, 0.9]]]))
    overlay.draw(doubtful, result(size, boxes, [1], [[[20, 50, 0.9], [80, 50, 0.2]]]))
    overlay.draw(outside, result(size, boxes, [1], [[[20, 50, 0.9], [180, 50, 0.9]]]))
    assert changed(certain)[50, 50]
    assert not changed(doubtful)[50, 50]
    assert changed(outside)[50, 99] and not changed(outside)[40, 60]
    for far in (np.nan, np.inf, -1e9):
        nowhere = picture(*size)
        overlay.draw(nowhere, result(size, boxes, [1], [[[20, 50, 0.9], [far, 50, 0.9]]]))
        assert not changed(nowhere)[50, 50]


def test_left_and_right_limbs_have_the_colors_of_their_side():
    image, size = picture(400, 400), (400, 400)
    names = ["left_hip", "left_knee", "right_hip", "right_knee"]
    points = [[[300, 100, 1], [300, 300, 1], [100, 100, 1], [100, 300, 1]]]
    overlay = Overlay([(0, 1), (2, 3), (0, 2)], keypoint_names=names)
    overlay.draw(image, result(size, [[20, 20, 380, 380]], [1], points))
    assert image[200, 300].tolist() == list(LEFT)
    assert image[200, 100].tolist() == list(RIGHT)
    assert image[100, 200].tolist() == [255, 255, 255]


def test_a_box_that_lies_nowhere_in_the_picture_has_no_label_either():
    image, size = picture(100, 100), (100, 100)
    boxes = [[200, 20, 260, 90], [20, -90, 80, -10], [float("nan")] * 4, [-1e9, -1e9, 1e9, 1e9]]
    Overlay().draw(image, result(size, boxes[:3], [1, 2, 3]))
    assert not changed(image).any()
    Overlay().draw(image, result(size, boxes[3:], [4]))
    assert changed(image).any()


def test_labels_keep_clear_of_the_read_out():
    size = (240, 320)
    everywhere = [[4, 40, 60, 230], [250, 40, 316, 230], [100, 40, 160, 60], [100, 180, 160, 236]]
    shown = result(size, everywhere, range(1, 5), meter=METER)
    image = picture(*size)
    Overlay((), Hud("yolox-nano")).draw(image, shown)
    x1, y1, x2, y2 = Hud("yolox-nano").panel(size, shown).rect
    for number in range(1, 5):
        solid = (image == np.array(color_of(number))).all(2)
        assert solid.sum() > 100
        assert not solid[y1:y2, x1:x2].any()


def test_labels_keep_clear_of_the_counts_of_lines():
    count = ZoneCount("door", ((200, 0), (200, 360)), 3, 4)
    seen = []
    for counts in ((), (count,)):
        image = picture(360, 640)
        shown = replace(result((360, 640), [(200, 180, 300, 340)], ids=[3]), counts=counts)
        Overlay(options=DrawOptions(("ids", "zones"))).draw(image, shown)
        seen.append(int((image == color_of(3)).all(2).sum()))
    assert seen[0] == seen[1] > 100


def test_counts_with_nearly_the_same_middle_are_written_below_each_other():
    lines = [((100.0, 50.0 + i), (300.0, 100.0 + 2 * i)) for i in range(3)]
    counts = [ZoneCount(f"line {i}", points, 3, 4) for i, points in enumerate(lines)]
    places = draw_counts(picture(360, 640), counts)
    assert all(a[3] <= b[1] for a, b in pairwise(places))


def test_a_label_without_room_says_less_before_it_covers_another():
    size = (200, 200)
    image = picture(*size)
    high = Style.of(*size).text
    boxes = [[0, 60 + 3 * i, 199, 61 + 3 * i] for i in range(12)]
    Overlay().draw(image, result(size, boxes, range(1, 13)))
    shown = [int((image == np.array(color_of(i))).all(2).sum()) for i in range(1, 13)]
    assert sum(area > high * high for area in shown) >= 8


@pytest.mark.parametrize("size", [(240, 320), (360, 640), (720, 1280), (1920, 1080), (2160, 3840)])
def test_the_read_out_is_small_and_stays_in_its_corner(size):
    image = picture(*size)
    Overlay((), Hud("ssdlite-person, separable")).draw(image, result(size, meter=METER))
    rows, columns = np.nonzero(changed(image))
    assert rows.max() < size[0] * 0.36
    assert rows.min() > 0
    assert columns.max() < size[1]
    assert changed(image).mean() < 0.2


@pytest.mark.parametrize("size", [(240, 320), (360, 640), (720, 1280), (1920, 1080), (2160, 3840)])
def test_the_read_out_tells_the_time_of_every_stage(size):
    with_stages, without = picture(*size), picture(*size)
    hud = Hud("ssdlite-person  separable")
    Overlay((), hud).draw(with_stages, result(size, meter=METER))
    Overlay((), hud).draw(without, result(size, meter=MeterSnapshot(29.97, 24.3)))
    assert changed(with_stages).sum() > changed(without).sum()


@pytest.mark.parametrize("boxes", [[[0, 0, 200, 470]], [[0, 0, 200, 470], [440, 0, 639, 470]]])
def test_the_frame_rate_is_in_a_corner_where_nobody_is(boxes):
    size = (480, 640)
    image = picture(*size)
    Overlay((), Hud("people", "fps"), options=DrawOptions(("hud",))).draw(
        image, result(size, boxes, meter=METER)
    )
    touched = changed(image)
    assert 0 < touched.mean() < 0.03
    for x1, y1, x2, y2 in boxes:
        assert not touched[y1 : y1 + (y2 - y1) // 3, x1:x2].any()
    assert touched[:120].any() == (len(boxes) == 1)  # above, while there is a corner


def test_the_frame_rate_gives_way_to_a_head_and_otherwise_stays():
    size, hud = (480, 640), Hud("people", "fps")
    place = lambda *boxes: getattr(hud.panel(size, result(size, boxes, meter=METER)), "rect", None)  # noqa: E731
    first = place()
    assert place([100, 5, 200, 300]) == first
    second = place([0, 5, 100, 300])
    assert second[0] > 320
    assert place() == second
    heads = [[0, 0, 639, 100], [0, 400, 639, 479]]
    assert place(*heads) is None


def test_photographs_have_no_read_out_and_differ_in_color():
    size = (240, 320)
    found = result(size, [[20, 60, 80, 180], [200, 60, 260, 180]])
    photograph, frame = picture(*size), picture(*size)
    Overlay(options=DrawOptions(("boxes",))).draw(
        photograph, replace(found, frame=replace(found.frame, name="a.jpg"))
    )
    Overlay(options=DrawOptions(("boxes",))).draw(frame, found)
    assert not np.array_equal(photograph[100, 20], photograph[100, 200])
    assert np.array_equal(frame[100, 20], frame[100, 200])  # without identities their order means nothing


def test_each_layer_is_drawn_alone_and_none_draws_nothing():
    size = (480, 640)
    mask = MaskCrop(np.ones((200, 80), np.uint8), 200, 100)
    points = [[[210, 110, 1], [240, 200, 1], [260, 290, 1]]]
    areas = {}
    for layers in [(), *((layer,) for layer in LAYERS)]:
        overlay = Overlay(BONES, Hud("people", "fps"), options=DrawOptions(layers))
        for step in range(3):
            image = picture(*size)
            shown = result(size, [[200 + 40 * step, 100, 280 + 40 * step, 300]], [7], points, [mask], METER)
            overlay.draw(image, replace(shown, frame=replace(shown.frame, time_s=step / 10)))
        areas[layers] = int(changed(image).sum())
    assert areas.pop(()) == areas.pop(("zones",)) == 0  # zones are drawn where there are some
    assert min(areas.values()) > 50
    assert areas[("masks",)] > areas[("boxes",)]


def test_colors_say_who_what_or_which_side():
    size = (400, 400)
    names = ["left_hip", "left_knee"]
    points = [[[300, 100, 1], [300, 300, 1]]]
    for color_by, wanted in (("side", LEFT), ("identity", color_of(3)), ("class", color_of(0))):
        image = picture(*size)
        overlay = Overlay([(0, 1)], keypoint_names=names, options=DrawOptions(color_by=color_by))
        overlay.draw(image, result(size, [[20, 20, 380, 380]], [3], points))
        assert image[200, 300].tolist() == list(wanted)
        assert image[200, 20].tolist() == list(color_of(0 if color_by == "class" else 3))


def test_masks_are_as_strong_as_asked():
    pixels = np.ones((40, 40), np.uint8)
    tints = []
    for opacity in (0.0, 0.5, 1.0):
        image = picture(100, 100)
        options = DrawOptions(("masks",), mask_opacity=opacity)
        Overlay(options=options).draw(
            image, result((100, 100), [[0, 0, 99, 99]], [3], None, [MaskCrop(pixels, 30, 30)])
        )
        tints.append(image[50, 50].astype(int))
    assert tints[0].tolist() == [GREY] * 3
    assert tints[2].tolist() == list(color_of(3))
    assert np.abs(tints[1] * 2 - tints[0] - tints[2]).max() <= 2


def test_a_trail_goes_where_the_person_was_and_ends():
    size = (200, 400)
    overlay = Overlay(options=DrawOptions(("trails",)))
    for step in range(60):
        image = picture(*size)
        shown = result(size, [[step * 6, 50, step * 6 + 20, 150]], [1])
        overlay.draw(image, replace(shown, frame=replace(shown.frame, time_s=step / 10)))
    columns = np.flatnonzero(changed(image).any(0))
    assert columns.max() in range(360, 370)
    assert columns.min() in range(238, 250)  # two seconds ago
    again = replace(shown.frame, time_s=6.0, sequence=1)
    overlay.draw(image := picture(*size), replace(shown, frame=again))  # the next pass through a looping file
    assert not changed(image).any()
    overlay.draw(image := picture(*size), result(size, [[0, 50, 20, 150]], [1]))  # the file begins again
    assert not changed(image).any()


def test_lines_and_text_can_be_scaled():
    size = (480, 640)
    areas = []
    for scale in (0.5, 1.0, 3.0):
        image = picture(*size)
        Overlay(options=DrawOptions(("boxes", "ids"), scale=scale)).draw(
            image, result(size, [[200, 100, 280, 300]], [7])
        )
        areas.append(int(changed(image).sum()))
    assert areas == sorted(areas) and areas[2] > 2 * areas[1]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"layers": ("box",)}, "did you mean 'boxes'"),
        ({"color_by": "mood"}, "choose from identity, class, side"),
        ({"hud": "brief"}, "choose from off, fps, full"),
        ({"mask_opacity": 1.5}, "between 0 and 1"),
        ({"scale": 0.0}, "between 0.25 and 8"),
    ],
)
def test_wrong_options_are_refused(wrong, said):
    with pytest.raises(SepcamError, match=said):
        DrawOptions(**wrong)


def test_the_read_out_does_not_tremble_with_its_digits():
    size = (720, 1280)
    hud = Hud("ssdlite-person  separable")
    rects = {hud.panel(size, result(size, meter=MeterSnapshot(30.0, fps))).rect for fps in (21.1, 24.8, 26.0)}
    assert len(rects) == 1


def test_threads_draw_the_same_letters_as_one():
    wanted = _page()
    pages: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: pages.extend(_page() for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(page, wanted) for page in pages)
    assert len(pages) == 20


def _page() -> np.ndarray:
    image = picture(60, 400)
    for size in range(8, 40):
        put_text(image, f"#{size} person 0.{size}", 5, 45, (255, 255, 255), size)
    return image


def test_identities_differ_to_people_without_red_or_green_cones():
    # Of linear RGB: G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A physiologically-based model for
    # simulation of color vision deficiency", 2009.
    normal = np.eye(3)
    protan = [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ]
    deutan = [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
    rgb = np.array([color_of(number)[::-1] for number in range(12)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for seen, least in ((normal, 0.1), (protan, 0.09), (deutan, 0.07)):
        colors = _oklab(np.clip(linear @ np.array(seen).T, 0, 1))
        apart = np.linalg.norm(colors[:, None] - colors[None], axis=-1)
        assert apart[~np.eye(len(colors), dtype=bool)].min() > least


def _oklab(linear: np.ndarray) -> np.ndarray:
    lms = [
        [0.41222147, 0.53633254, 0.05144599],
        [0.2119035, 0.68069955, 0.10739696],
        [0.08830246, 0.28171884, 0.6299787],
    ]
    lab = [
        [0.21045426, 0.79361779, -0.00407205],
        [1.9779985, -2.42859221, 0.45059371],
        [0.02590404, 0.78277177, -0.80867577],
    ]
    return np.cbrt(linear @ np.array(lms).T) @ np.array(lab).T


def ink(text: str, height: int = 40) -> np.ndarray:
    """(60, 400) uint8, a text in white on black."""
    image = np.zeros((60, 400, 3), np.uint8)
    put_text(image, text, 5, 45, (255, 255, 255), height)
    return image[..., 0]


def test_chinese_japanese_and_korean_have_letters_of_their_own():
    missing = ink("\U0010fffd")
    for text in ("入口", "出口", "東京", "ひらがな", "서울"):
        letters = [ink(letter) for letter in text]
        assert len({letter.tobytes() for letter in letters}) == len(set(text))
        assert not any(np.array_equal(letter, missing) for letter in letters)
        assert text_width(f"#3 {text} 0.93", 40) > text_width(text, 40) + text_width("#3", 40)


def test_arabic_is_joined_and_runs_from_right_to_left():
    def extent(image: np.ndarray) -> tuple[int, int]:
        columns = np.flatnonzero(image.any(0))
        return columns[0], columns[-1]

    # Letters change their shapes where they join; an invisible non-joiner keeps them apart.
    word = "مدخل"
    assert not np.array_equal(ink(word), ink("\u200c".join(word)))
    first, _ = extent(ink(word))
    # The first letter, mim, is at the right end.
    width = text_width("م", 40)
    whole, without = ink(word), ink(word[1:])
    _, right = extent(whole)
    _, shorter = extent(without)
    assert 0 < right - shorter < 1.5 * width and first > 0
    assert ink("مدخل 12")[:, :50].any()


@pytest.mark.parametrize(
    ("logical", "shown"),
    [
        ("gate 12: 3 in", "gate 12: 3 in"),
        ("אבג", "גבא"),
        ("אבג 12", "12 גבא"),
        ("אבג: 3 in, 2 out", "in, 2 out 3 :גבא"),
        ("gate אבג 12 in", "gate 12 גבא in"),
        ("(אב) ג", "ג (בא)"),
        ("#3 אבג 0.93", "0.93 גבא #3"),
    ],
)
def test_without_fribidi_right_to_left_text_is_ordered_all_the_same(logical, shown):
    assert visual(logical) == shown


def test_without_fribidi_arabic_letters_are_joined():
    assert visual("مدخل") == "\ufede\ufea7\ufeaa\ufee3"


def test_whatever_a_name_holds_can_be_written():
    for text in ("", " ", "a\tb\nc", "\udcff.jpg", "e\u0301", "नमस्ते", "😀", "\u200d", "a" * 500):
        ink(text)
        assert text_width(text, 20) >= 0
    image = picture(20, 20)
    put_text(image, "outside", -200, -200, (0, 0, 0), 12)
    put_text(image, "outside", 40, 10, (0, 0, 0), 12)
    assert not changed(image).any()


def test_text_and_lines_grow_with_the_picture():
    small, large = Style.of(240, 320), Style.of(2160, 3840)
    assert small.text >= 10
    assert large.text > 3 * small.text
    assert large.line > small.line


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_letters_contrast_with_what_they_stand_on(color):
    luma = np.dot(color, (0.114, 0.587, 0.299))
    assert abs(luma - np.dot(ink_on(color), (0.114, 0.587, 0.299))) > 90


def test_drawing_takes_memory_for_the_person_and_not_for_the_frame():
    size = (2160, 3840)
    image = picture(*size)
    mask = MaskCrop(np.ones((200, 80), np.uint8), 500, 300)
    wanted = result(size, [[500, 300, 580, 500]], [7], None, [mask], METER)
    overlay = Overlay(BONES, Hud("yolox-nano, separable"))
    overlay.draw(image, wanted)
    tracemalloc.start()
    overlay.draw(image, wanted)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < image.nbytes / 20
