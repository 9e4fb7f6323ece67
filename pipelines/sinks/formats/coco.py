"""Results in the format of COCO's own tools."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ....models.errors import SepcamError
from ....models.ops.coco import CATEGORY_IDS, NAMES, keypoint_order
from ....models.types import U8
from ...annotations.coco import read_coco
from ...annotations.matching import ImageMatcher
from ...annotations.types import Annotations
from ...types import FrameResult, RunSummary
from ..base import ResultName, Sink, SinkContext, SinkKind
from ..folder_sink import ImageNames
from ..serialize import SCORE_DECIMALS, keypoint_triples, xywh
from ..text_sink import TextSink

FILE_NAME = "coco_results.json"
"""What COCO's own tools expect."""


class CocoSink(TextSink):
    """COCO results JSON: a list of objects with image_id, category_id, bbox, score, segmentation, keypoints.

    Boxes are left, top, width, height in pixels; masks compressed RLE; keypoints x, y, score of COCO's 17.
    ``keypoints_score``, which COCO lacks, ranks the keypoints where the network says it beside ``score``.
    """

    def __init__(
        self,
        path: Path,
        annotations: Annotations | None = None,
        *,
        folder: Path = Path(),
        keypoint_order: Sequence[int] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            annotations: give image ids by file name and category ids by name, in any case; without them an
                image's id is the last number in its file name, and categories are COCO's own.
            folder: of the images, which tells apart images of one name.
            keypoint_order: which of the instances' keypoints are COCO's 17, in COCO's order; None to write
                no keypoints.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        self._annotations = annotations
        self._folder = folder
        self._matcher = None if annotations is None else ImageMatcher(annotations)
        self._category_ids: dict[str, int | str] = dict(zip(NAMES, CATEGORY_IDS, strict=True))
        if annotations is not None and annotations.categories:
            self._category_ids = {
                name.casefold(): annotations.category_ids[key] for key, name in annotations.categories.items()
            }
        self._names = ImageNames()
        self._seen: dict[int | str, str] = {}
        self._order = None if keypoint_order is None else list(keypoint_order)
        super().__init__(path, overwrite=overwrite)
        self._separator = "["

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add an image's objects; the image is not used.

        Raises:
            SepcamError: If the image has no id, or shares it or its name with another; a class has no
                category; or the file cannot be written.
        """
        self._names.add(result.frame.name)
        image_id = self._image_id(result.frame.name)
        found = result.instances
        boxes = xywh(found)
        posed = found.people if found.keypoints is None else found.people & found.keypoints.any((1, 2))
        for i, label in enumerate(found.labels.tolist()):
            item: dict[str, Any] = {
                "image_id": image_id,
                "category_id": self._category_id(found.names[int(label)]),
                "bbox": boxes[i],
                "score": round(float(found.scores[i]), SCORE_DECIMALS),
            }
            mask = None if found.masks is None else found.masks[i]
            if mask is not None:
                item["segmentation"] = mask.to_rle(*found.size)
            if found.keypoints is not None and self._order is not None and posed[i]:
                triples = keypoint_triples(found.keypoints[i][self._order])
                item["keypoints"] = [value for triple in triples for value in triple]
                if found.pose_scores is not None:
                    item["keypoints_score"] = round(float(found.pose_scores[i]), SCORE_DECIMALS)
            self._file.write(f"{self._separator}\n{json.dumps(item, allow_nan=False)}")
            self._separator = ","

    def _ending(self, summary: RunSummary) -> str:
        """The end of the list."""
        return "[]\n" if self._separator == "[" else "\n]\n"

    def _image_id(self, name: str) -> int | str:
        image_id = self._annotated_id(name) if self._annotations else _number_in(name)
        other = self._seen.setdefault(image_id, name)
        if other != name:
            raise SepcamError(
                f"{other} and {name} are both COCO image {image_id}: give the ids with --coco-annotations"
            )
        return image_id

    def _annotated_id(self, name: str) -> int | str:
        assert self._annotations is not None and self._matcher is not None
        image = self._matcher.match(self._folder / name)
        if image is None:
            raise SepcamError(f"{self._annotations.source} has no image called {name}")
        return image.id

    def _category_id(self, name: str) -> int | str:
        try:
            return self._category_ids[name.casefold()]
        except KeyError:
            where = "COCO" if self._annotations is None else self._annotations.source
            raise SepcamError(f"{where} has no category {name!r}: leave it out with --classes") from None


def _number_in(name: str) -> int:
    """The last number in a file name.

    Raises:
        SepcamError: If there is none.
    """
    numbers = re.findall(r"\d+", Path(name).stem)
    if not numbers:
        raise SepcamError(
            f"{name!r} has no number to be its COCO image id: give the ids with --coco-annotations"
        )
    return int(numbers[-1])


def _path(name: ResultName) -> Path:
    return name.folder / name.subfolder / FILE_NAME if name.alone else name.path(".coco.json")


def _open(path: Path, context: SinkContext) -> Sink:
    order = keypoint_order(context.header["keypoint_names"])
    given = context.coco_annotations
    return CocoSink(
        path,
        None if given is None else read_coco(given),
        folder=Path(context.source),
        keypoint_order=order,
        overwrite=context.overwrite,
    )


KIND = SinkKind("coco", frozenset(("images",)), _path, _open)
