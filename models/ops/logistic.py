"""Scores and their logits."""

import math

import numpy as np

from ..types import F32

_LOWEST = np.float32(-80)  # below, the exponential would overflow
_ONE = np.float32(1)


def sigmoid(logits: F32) -> F32:
    """1 / (1 + exp(-x)), without overflow."""
    return _ONE / (_ONE + np.exp(-np.maximum(logits, _LOWEST)))


def logit(probability: float) -> float:
    """The logit of a probability in (0, 1), the inverse of ``sigmoid``."""
    return math.log(probability / (1 - probability))
