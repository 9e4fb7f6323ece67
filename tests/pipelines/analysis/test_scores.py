"""Scores do not flicker between looks and follows."""

import numpy as np
import pytest
from sepcam.pipelines.analysis.scores import SteadyScores
from sepcam.pipelines.types import Instances

FPS = 25.0


def seen(scores, ids):
    n = len(scores)
    boxes = np.tile(np.array([1, 1, 9, 9], np.float32), (n, 1))
    labels = np.zeros(n, np.int64)
    numbers = None if ids is None else np.array(ids, np.int64)
    return Instances((20, 20), boxes, np.array(scores, np.float32), labels, ("person",), numbers)


def test_a_score_is_the_mean_of_half_a_second():
    steady = SteadyScores()
    given = [0.4 if index % 4 == 0 else 0.7 for index in range(60)]
    got = [float(steady.of(seen([score], [3]), i / FPS).scores[0]) for i, score in enumerate(given)]
    assert got[0] == pytest.approx(0.4)
    assert np.ptp(got[13:]) < 0.05 and np.mean(got[13:]) == pytest.approx(0.625, abs=0.02)


def test_everybody_has_a_score_of_their_own_and_whoever_returns_begins_again():
    steady = SteadyScores()
    steady.of(seen([0.2, 0.8], [1, 2]), 0.0)
    steady.of(seen([0.4], [1]), 0.04)
    assert steady.of(seen([0.6, 0.6], [2, 1]), 0.08).scores.tolist() == pytest.approx([0.6, 0.4])


def test_without_identities_scores_stay():
    found = seen([0.3], None)
    assert SteadyScores().of(found, 0.0) is found
