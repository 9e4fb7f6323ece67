"""What people look at after a training: labels, what is found, and the lines of its report."""

import re

import numpy as np
from sepcam.app.train.drawing import captioned, draw_found, draw_labels
from sepcam.app.train.plots import Line, plot
from sepcam.models.training.losses import WEIGHTS
from sepcam.models.training.samples import Sample
from sepcam.models.types import Detections

BOX = np.array([[100, 40, 300, 240]], np.float32)
IMAGE = np.full((600, 1200, 3), 90, np.uint8)


def test_masks_that_are_found_are_tinted(tmp_path):
    found = Detections(BOX, np.ones(1, np.float32), np.zeros(1, np.int64))
    masked = Detections(BOX, found.scores, found.labels, masks=[(np.ones((200, 200), np.uint8), 100, 40)])
    plain, tinted = draw_found(IMAGE, found, 0.5), draw_found(IMAGE, masked, 0.5)
    assert plain.shape == (320, 640, 3)
    changed = (plain != tinted).any(2)
    assert changed[60, 100] and changed[100, 140] and not changed[:, 170:].any()


def test_an_ignored_region_can_be_seen_through(tmp_path):
    drawn = draw_labels(IMAGE, Sample(tmp_path / "a.png", (600, 1200), (), BOX))
    same = (drawn == 90).all(2)[25:125, 55:155]
    assert 0.5 < same.mean() < 0.95
    assert (drawn == 90).all(2)[:, 170:].all()


def test_a_caption_stands_below_the_image_and_shows_the_end_of_a_long_name():
    short, long, longer = (
        captioned(IMAGE, name) for name in ("a.png", f"{'x' * 500}a.png", f"{'x' * 600}a.png")
    )
    assert (short[:600] == IMAGE).all() and short[600:, :100].any()
    assert (long == longer).all() and not (short == long).all()


def test_every_line_of_a_plot_has_its_own_color():
    lines = [Line(name, ((0.0, 1.0), (1.0, 2.0))) for name in ("loss", *WEIGHTS)]
    assert len(set(re.findall(r'stroke="(#\w+)"', plot(lines, "step", "loss")))) == len(lines)
