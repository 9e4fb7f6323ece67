"""How accurate and how fast it is: metrics against ground truth, agreement, paired timing."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .consistency import difference, largest
    from .curves import compare, curve
    from .error_gallery import WorstImages
    from .ground_truth import mot_people, people_of
    from .matches import Matches, match_all
    from .metrics import evaluate_coco, evaluate_mot
    from .paired_timing import Estimate, Rounds, Tick, Turn, beyond_noise, estimate
    from .quantization_loss import DetectorTrial, Figure, PoseTrial, Trial, images

__all__ = [
    "DetectorTrial",
    "Estimate",
    "Figure",
    "Matches",
    "PoseTrial",
    "Rounds",
    "Tick",
    "Trial",
    "Turn",
    "WorstImages",
    "beyond_noise",
    "compare",
    "curve",
    "difference",
    "estimate",
    "evaluate_coco",
    "evaluate_mot",
    "images",
    "largest",
    "match_all",
    "mot_people",
    "people_of",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "DetectorTrial": "quantization_loss",
        "Estimate": "paired_timing",
        "Figure": "quantization_loss",
        "Matches": "matches",
        "PoseTrial": "quantization_loss",
        "Rounds": "paired_timing",
        "Tick": "paired_timing",
        "Trial": "quantization_loss",
        "Turn": "paired_timing",
        "WorstImages": "error_gallery",
        "beyond_noise": "paired_timing",
        "compare": "curves",
        "curve": "curves",
        "difference": "consistency",
        "estimate": "paired_timing",
        "evaluate_coco": "metrics",
        "evaluate_mot": "metrics",
        "images": "quantization_loss",
        "largest": "consistency",
        "match_all": "matches",
        "mot_people": "ground_truth",
        "people_of": "ground_truth",
    },
)
