"""What is known about both forms from elsewhere than the measurement at hand."""

from typing import Any, Final

PAPER: Final = {
    "separable": {"macs": 569_000_000, "params": 4_200_000},
    "baseline": {"macs": 4_866_000_000, "params": 29_300_000},
}
"""MobileNetV1 at 224 x 224 (Howard et al. 2017, table 4)."""

TRAINED_ALIKE: Final[dict[str, Any]] = {
    "network": "a small people network on MoveNet lightning's trunk",
    "examples": 1_680,
    "measured_on": "crops of people in 80 images of COCO val2017 that were not trained on",
    "weights": {"separable": 2_350_000, "standard": 43_310_000},
    "accuracy": {
        "before": {"box_ap": 41.0, "oks_ap": 42.0},
        "separable": {"box_ap": 39.3, "oks_ap": 42.0},
        "standard": {"box_ap": 38.5, "oks_ap": 41.0},
    },
}
"""Both forms, trained on the same examples from the same weights; models/EXPERIMENTS.md says how."""
