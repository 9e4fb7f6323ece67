"""Results in the format of COCO's own tools."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...models.errors import SepcamError
from ...models.ops.coco import CATEGORY_IDS, NAMES, keypoint_order
from ...models.types import U8
from ..files.text import TextFile
from ..types import FrameResult, RunSummary
from .base import ResultName, Sink, SinkContext, SinkKind
from .serialize import SCORE_DECIMALS, keypoint_triples, xywh

FILE_NAME = "coco_results.json"
"""What COCO's own tools expect."""


class CocoSink(Sink):
    """COCO results JSON: a list of objects with image_id, category_id, bbox, score, segmentation, keypoints.

    Boxes are left, top, width, height in pixels; masks compressed RLE; keypoints x, y, score of COCO's 17.
    """

    def __init__(
        self,
        path: Path,
        annotations: Path | None = None,
        *,
        keypoint_order: Sequence[int] | None = None,
        overwrite: bool = False,
    ) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            annotations: COCO annotations that give image ids by file name and category ids by name; without
                them an image's id is the last number in its file name, and categories are COCO's own.
            keypoint_order: which of the instances' keypoints are COCO's 17, in COCO's order; None to write
                no keypoints.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the annotations cannot be read, the target exists, or its folder cannot be
                written to.
        """
        self._annotations = annotations
        self._image_ids, named = ({}, {}) if annotations is None else _read_annotations(annotations)
        self._category_ids = named or dict(zip(NAMES, CATEGORY_IDS, strict=True))
        self._seen: dict[int, str] = {}
        self._order = None if keypoint_order is None else list(keypoint_order)
        self._file = TextFile(path, overwrite=overwrite)
        self._separator = "["

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add an image's objects; the image is not used.

        Raises:
            SepcamError: If the image has no id, or shares it with another; a class has no category; or the
                file cannot be written.
        """
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
            self._file.write(f"{self._separator}\n{json.dumps(item, allow_nan=False)}")
            self._separator = ","

    def prepare(self, summary: RunSummary) -> None:
        """Write the end of the list.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self._file.finish("[]\n" if self._separator == "[" else "\n]\n")

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.prepare(summary)
        self._file.publish()

    def abort(self) -> None:
        """Delete the unfinished file."""
        self._file.abort()

    def _image_id(self, name: str) -> int:
        image_id = self._image_ids.get(name)
        if image_id is None:
            if self._annotations is not None:
                raise SepcamError(f"{self._annotations} has no image called {name}")
            numbers = re.findall(r"\d+", Path(name).stem)
            if not numbers:
                raise SepcamError(
                    f"{name!r} has no number to be its COCO image id: give the ids with --coco-annotations"
                )
            image_id = int(numbers[-1])
        other = self._seen.setdefault(image_id, name)
        if other != name:
            raise SepcamError(
                f"{other} and {name} are both COCO image {image_id}: give the ids with --coco-annotations"
            )
        return image_id

    def _category_id(self, name: str) -> int:
        try:
            return self._category_ids[name]
        except KeyError:
            raise SepcamError(f"COCO has no category {name!r}: leave it out with --classes") from None


def _read_annotations(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        images = {Path(image["file_name"]).name: int(image["id"]) for image in data["images"]}
        return images, {item["name"]: int(item["id"]) for item in data.get("categories", ())}
    except OSError as error:
        raise SepcamError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise SepcamError(f"{path} is not a COCO annotations file ({error!r})") from error


def _path(name: ResultName) -> Path:
    return name.folder / name.subfolder / FILE_NAME if name.alone else name.path(".coco.json")


def _open(path: Path, context: SinkContext) -> Sink:
    order = keypoint_order(context.header["keypoint_names"])
    return CocoSink(path, context.coco_annotations, keypoint_order=order, overwrite=context.overwrite)


KIND = SinkKind("coco", "COCO results JSON", frozenset(("images",)), _path, _open)
