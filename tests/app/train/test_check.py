"""``sepcam train --check``: what is wrong with the data is named, what is right is shown."""

import cv2
import numpy as np
import pytest
from sepcam.app import cli
from sepcam.app.train.dataset import read_labeled
from sepcam.models.training.samples import fill

from tests.app.train.labeled import SIZE, data_set, outlined, person, posed

BOX = (20.0, 10.0, 24.0, 70.0)


def train(*words) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(["train", *map(str, words)])
    return int(left.value.code or 0)


def check(folder, annotations=None, *words, **changed) -> int:
    images, path = data_set(
        folder, **({} if annotations is None else {"annotations": annotations}), **changed
    )
    return train("--images", images, "--annotations", path, "--check", "-o", folder / "run", *words)


def test_what_is_labeled_is_counted_and_shown(tmp_path, capsys):
    crowd = person(90, 0, (90, 5, 30, 30), iscrowd=1)
    people = [person(n + 1, n, BOX, keypoints=posed(BOX), segmentation=outlined(BOX)) for n in range(6)]
    assert check(tmp_path, [*people, crowd]) == 0
    said = capsys.readouterr()
    assert "6 images, 6 people, 6 with keypoints, 6 with masks, 1 ignored region\n" in said.out
    assert "training on 5 images, 5 people" in said.err and "measuring on 1 image, 1 person" in said.err
    assert cv2.imread(str(tmp_path / "run" / "examples.png")).shape[1] > 1000


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (person(7, 2, (5, 5, 0, 20)), "annotation 7 (2.png): the box 5, 5, 0, 20 has no area"),
        (person(7, 2, (500, 5, 9, 20)), "annotation 7 (2.png): the box 500, 5, 9, 20 lies outside the image"),
        (person(7, 2, (60, 30, 120, 90)), "annotation 7 (2.png): the box 60, 30, 120, 90 reaches far beyond"),
        (person(7, 2, BOX, keypoints=[1, 1, 2]), "annotation 7 (2.png): it has 1 keypoints"),
        (person(7, 2, BOX, keypoints=[20, 20, 5] * 17), "the visibility of a keypoint is not 0, 1 or 2"),
        (
            person(7, 2, BOX, keypoints=[900, 20, 2] * 17),
            "its keypoint nose at 900, 20 lies outside the image",
        ),
        (
            person(7, 2, BOX, segmentation=[[20, 10, 44, 10, 1e300, 80]]),
            "its mask reaches beyond the image of 128x96 pixels, to 1e+30, 80",
        ),
        (person(7, 2, BOX, keypoints=[0.3, 0.4, 2] * 17), "none of its keypoints lies near its box"),
        (person(7, 2, BOX, segmentation=outlined((90, 5, 9, 9))), "its mask lies outside its box"),
        (
            person(7, 2, BOX, segmentation=[[1, 2, 3]]),
            "people.json, annotation 7 (2.png): a polygon of it is not a list of x, y pairs",
        ),
    ],
)
def test_bad_labels_are_named_with_their_ids(labels, complaint, tmp_path, capsys):
    assert check(tmp_path, [person(1, 0, BOX), labels]) == 2
    error = capsys.readouterr().err
    assert complaint in error and "1 label or image is wrong: correct or remove it" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("box", [(5, 5, 0, 20), (5, 5, 0)])
def test_every_bad_label_is_named_not_only_the_first(box, tmp_path, capsys):
    assert check(tmp_path, [person(n, 1, box) for n in range(23)]) == 2
    error = capsys.readouterr().err
    assert all(f"annotation {n} (1.png)" in error for n in range(20))
    assert "23 labels or images are wrong (3 more than shown)" in error


def test_images_that_are_missing_damaged_or_of_another_size_are_named(tmp_path, capsys):
    images, path = data_set(tmp_path)
    (images / "0.png").unlink()
    (images / "1.png").write_bytes(b"not an image")
    cv2.imwrite(str(images / "2.png"), np.zeros((50, 60, 3), np.uint8))
    assert train("--images", images, "--annotations", path, "--check") == 2
    error = capsys.readouterr().err
    assert "image 0:" in error and "0.png is missing" in error
    assert "1.png" in error and "2.png is 60x50, but image 2 (2.png)" in error and "EXIF" not in error
    (images / "1.png").write_bytes((images / "5.png").read_bytes())
    cv2.imwrite(str(images / "2.png"), np.zeros(SIZE[::-1], np.uint8))
    assert train("--images", images, "--annotations", path, "--check") == 2
    assert "(EXIF data may turn it: annotate it as it is seen, or remove the data)" in capsys.readouterr().err
    (images / "2.png").write_bytes((images / "5.png").read_bytes())
    words = ("--images", images, "--annotations", path, "--check", "--skip-missing", "-o", tmp_path / "run")
    assert train(*words) == 0


def test_data_without_people_is_refused(tmp_path, capsys):
    assert check(tmp_path, categories=[{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]) == 2
    assert "has no category 'person' (it has 'cat', 'dog')" in capsys.readouterr().err
    assert check(tmp_path / "empty", []) == 2
    assert "labels nobody" in capsys.readouterr().err


def test_what_training_would_refuse_is_refused(tmp_path, capsys):
    assert check(tmp_path, None, "--validation", tmp_path / "people.json") == 2
    assert "is in the training and in the --validation data" in capsys.readouterr().err
    assert check(tmp_path, [person(1, 0, BOX)]) == 2
    assert "fewer than two images show a labeled person" in capsys.readouterr().err
    images = [{"id": 0, "file_name": "0.png"}]
    assert check(tmp_path, [person(1, 0, BOX)], images=images) == 2
    assert "1 labeled image is too few: training needs 4" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_an_image_of_the_users_with_the_name_of_the_examples_is_kept(tmp_path, capsys):
    place = tmp_path / "run" / "examples.png"
    place.parent.mkdir()
    cv2.imwrite(str(place), np.zeros((5, 5), np.uint8))
    before = place.read_bytes()
    assert check(tmp_path) == 2
    assert "examples.png is none of 'sepcam train': name another folder" in capsys.readouterr().err
    assert place.read_bytes() == before
    assert check(tmp_path, None, "--overwrite") == 0
    assert place.read_bytes() != before
    assert check(tmp_path) == 0  # this one is of 'sepcam train'


def test_images_one_pixel_high_are_shown(tmp_path):
    images, path = data_set(
        tmp_path,
        images=[{"id": n, "file_name": f"{n}.png"} for n in range(6)],
        annotations=[person(n, n, (50, 0, 90, 1)) for n in range(6)],
    )
    for number in range(6):
        cv2.imwrite(str(images / f"{number}.png"), np.zeros((1, 4000, 3), np.uint8))
    assert train("--images", images, "--annotations", path, "--check", "-o", tmp_path / "run") == 0


def test_yolo_segments_and_poses_are_read(tmp_path, capsys):
    data_set(tmp_path)
    labels = tmp_path / "labels"
    labels.mkdir()
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images\nnames: {0: person, 1: dog}\n")
    polygon = " ".join(f"{x / SIZE[1]} {y / SIZE[0]}" for x, y in np.reshape(outlined(BOX), (-1, 2)))
    (labels / "0.txt").write_text(f"0 {polygon}\n1 0.5 0.5 0.1 0.1\n")
    (labels / "1.txt").write_text("0 0.25 0.45 0.2 0.7\n")
    (labels / "2.txt").write_text("")
    words = ("--annotations", tmp_path / "data.yaml", "--check", "-o", tmp_path / "run")
    assert train(*words) == 0
    # Images without a text file say nothing of who is there.
    said = capsys.readouterr()
    assert "6 images, 2 people, 1 with a mask, 3 partly labeled images" in said.out
    assert "3 of 6 images have no label file (as 3.txt)" in said.err
    (tmp_path / "data.yaml").write_text(
        "path: .\ntrain: images\nnames: {0: person, 1: dog}\nkpt_shape: [17, 2]\n"
    )
    (labels / "0.txt").write_text(f"0 0.25 0.45 0.2 0.7 {'0.25 0.45 ' * 16} 0 0\n")
    (labels / "1.txt").write_text((labels / "0.txt").read_text())
    assert train(*words) == 0
    assert "6 images, 2 people, 2 with keypoints" in capsys.readouterr().out
    (labels / "1.txt").write_text("0 0.25 0.45 0.2\n0 0.25\n")
    assert train(*words) == 2
    error = capsys.readouterr().err
    assert "1.txt, line 1" in error and "1.txt, line 2" in error and "2 labels or images are wrong" in error


def test_images_that_a_yolo_list_names_may_be_left_out(tmp_path, capsys):
    data_set(tmp_path)
    (tmp_path / "labels").mkdir()
    for number in range(6):
        (tmp_path / "labels" / f"{number}.txt").write_text("0 0.25 0.45 0.2 0.7\n")
    (tmp_path / "list.txt").write_text("".join(f"images/{n}.png\n" for n in range(7)))
    (tmp_path / "data.yaml").write_text("train: list.txt\nnames: {0: person}\n")
    words = ("--annotations", tmp_path / "data.yaml", "--check", "-o", tmp_path / "run")
    assert train(*words) == 2
    assert f"{tmp_path}/images/6.png is missing; --skip-missing" in capsys.readouterr().err
    assert train(*words, "--skip-missing") == 0
    assert "6 images, 6 people" in capsys.readouterr().out


def test_labels_and_run_lengths_become_the_same_mask(tmp_path):
    mask = np.zeros(SIZE, np.uint8)
    mask[10:80, 20:44] = 1
    mask[30:40, 28:36] = 0  # a hole
    runs, last = [0], 0
    for value in mask.T.ravel().tolist():
        if value != last:
            runs.append(0)
            last = value
        runs[-1] += 1
    rle = {"size": list(SIZE), "counts": runs}
    images, path = data_set(tmp_path, annotations=[person(1, 0, BOX, segmentation=rle)])
    data = read_labeled(images, path)
    outline = data.samples[0].people[0].outline
    filled = fill(outline, SIZE) > 127
    assert (filled & (mask > 0)).sum() / (filled | (mask > 0)).sum() > 0.99
    assert not filled[34:36, 31:33].any()


def test_a_mask_is_of_its_images_size_where_the_annotations_do_not_say_it(tmp_path, capsys):
    sizes = [{"id": n, "file_name": f"{n}.png"} for n in range(6)]
    rle = {"size": [48, 64], "counts": [1000, 500, 1572]}
    assert check(tmp_path, [person(1, 0, BOX, segmentation=rle)], images=sizes) == 2
    wanted = "annotation 1 (0.png): its mask is of 64x48 pixels, its image of 128x96"
    assert wanted in capsys.readouterr().err
