"""Examples show labels where the image shows what they label, and are the same each time."""

from dataclasses import replace

import numpy as np
import pytest
from sepcam.models.training.examples import Examples
from sepcam.models.training.samples import Person, Sample, digest, fill, split

SIZE = 160
NONE = np.zeros((0, 4), np.float32)


def outline(x1, y1, x2, y2):
    return ((np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], np.float32),),)


def keypoints(x1, y1, x2, y2):
    """The left shoulder in the left half of the image, the right one in the right half, nothing else."""
    points = np.zeros((17, 3), np.float32)
    points[5] = x1 + 2, (y1 + y2) / 2, 2
    points[6] = x2 - 2, (y1 + y2) / 2, 2
    return points


@pytest.fixture
def samples(tmp_path):
    """Five images with a person of one color, who is known by box, mask and shoulders."""
    made = []
    for number in range(5):
        box = (60 + 10 * number, 40, 120 + 10 * number, 170)
        person = Person(np.array(box, np.float32), keypoints(*box), outline(*box))
        made.append(Sample(tmp_path / f"{number}.png", (240, 320), (person,), NONE))
    return made


def read(path):
    """Left half of the person blue, right half red."""
    number = int(path.stem)
    image = np.full((240, 320, 3), 20, np.uint8)
    left, right = 60 + 10 * number, 120 + 10 * number
    image[40:170, left : (left + right) // 2] = (200, 20, 20)
    image[40:170, (left + right) // 2 : right] = (20, 20, 200)
    return image


def test_an_example_depends_on_its_number_and_the_seed_alone(samples):
    one, other = Examples(samples, read, 3), Examples(samples, read, 3)
    for number in (11, 2):
        a, b = one.make(number, SIZE), other.make(number, SIZE)
        assert np.array_equal(a.image, b.image) and np.array_equal(a.keypoints, b.keypoints)
    assert not np.array_equal(Examples(samples, read, 4).make(2, SIZE).image, b.image)


def test_labels_lie_where_the_image_shows_people_and_sides_are_swapped_with_it(samples):
    examples = Examples(samples, read, 0)
    seen = flipped = 0
    for number in range(60):
        example = examples.make(number, SIZE)
        assert len(example.boxes) == len(example.keypoints) == len(example.masks)
        for box, points, mask in zip(example.boxes, example.keypoints, example.masks, strict=True):
            assert (box >= 0).all() and (box <= SIZE).all()
            ys, xs = np.nonzero(mask > 127)
            assert abs(np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]) - box).max() <= 5
            if (points[[5, 6], 2] == 0).any() or len(example.boxes) > 1 or box[2] - box[0] < 24:
                continue
            pixels = example.image[points[[5, 6], 1].astype(int), points[[5, 6], 0].astype(int)].astype(int)
            if np.ptp(pixels, axis=1).min() > 40:
                seen += 1
                blue = pixels[:, 0] > pixels[:, 2]
                assert points[5, 0] < points[6, 0] and blue[0] != blue[1]
                flipped += blue[1]  # what was on the right is on the left now
    assert seen > 15 and 3 < flipped < seen - 3


def test_masks_are_filled_to_a_fraction_of_a_pixel():
    mask = fill(outline(10.6, 20.1, 30.07, 40.3), (60, 50)) / 255
    assert mask.sum() == pytest.approx(19.47 * 20.2, rel=0.03)
    ys, xs = np.mgrid[:60, :50] + 0.5
    assert (mask * xs).sum() / mask.sum() == pytest.approx(20.335, abs=0.1)
    assert (mask * ys).sum() / mask.sum() == pytest.approx(30.2, abs=0.1)


def test_people_behind_a_pasted_one_lose_what_is_hidden(samples):
    examples = Examples(samples, read, 1)
    crowded = [made for made in (examples.make(n, SIZE) for n in range(80)) if len(made.boxes) > 1]
    assert crowded
    for example in crowded:
        front = example.masks[-1] > 127
        for points, mask in zip(example.keypoints[:-1], example.masks[:-1], strict=True):
            assert not (front & (mask > 127)).any()
            places = points[points[:, 2] > 0, :2].astype(int)
            assert not front[places[:, 1], places[:, 0]].any()


def test_a_strip_of_an_image_is_an_example(tmp_path):
    person = Person(np.array([50, 0, 3000, 1], np.float32))
    sample = Sample(tmp_path / "strip.png", (1, 4000), (person,), NONE)
    examples = Examples([sample], lambda path: np.full((1, 4000, 3), 200, np.uint8), 0)
    assert examples.make(0, SIZE).image.shape == (SIZE, SIZE, 3)


def test_both_sides_of_a_split_show_somebody(samples, tmp_path):
    empty = [Sample(tmp_path / f"empty{n}.png", (9, 9), (), NONE) for n in range(20)]
    training, checking = split([*empty, *samples], 0.1)
    assert len(checking) == 2 and len(training) == 23
    assert any(one.people for one in training) and any(one.people for one in checking)
    assert not {one.path for one in training} & {one.path for one in checking}


def test_images_in_which_everyone_is_labeled_are_held_out_first(samples):
    partial = [replace(one, complete=number in (1, 3)) for number, one in enumerate(samples)]
    training, checking = split(partial, 0.4)
    assert [one.complete for one in checking] == [True, True] and len(training) == 3
    _, checking = split(partial, 0.6)
    assert sorted(one.complete for one in checking) == [False, True, True]


def test_a_digest_tells_what_has_changed(samples):
    path = samples[0].path
    path.write_bytes(b"one")
    before = digest(samples[0])
    path.write_bytes(b"two")
    assert digest(samples[0]) == replace(before, image=digest(samples[0]).image) != before
    path.write_bytes(b"one")
    assert digest(replace(samples[0], complete=False)) != before == digest(samples[0])
