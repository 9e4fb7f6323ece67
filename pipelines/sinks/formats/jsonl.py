"""Results as JSON Lines."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ....models.types import U8
from ...files.text import as_unicode
from ...types import FrameResult, ModelInfo, RunSummary, StreamInfo
from ..base import Sink, SinkContext, SinkKind
from ..serialize import network_facts, objects, source_facts, summary_facts
from ..text_sink import TextSink


class JsonlSink(TextSink):
    """One JSON object a line: a header, every frame, a summary; the networks again where they switch."""

    def __init__(
        self, path: Path, info: StreamInfo, header: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        """Open the file and write the header line.

        Args:
            path: of the finished file; it appears on ``close``.
            info: of the source.
            header: what else the first line says: version, models, backbone, tasks, keypoint names, skeleton.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If the target exists, or its folder cannot be written to.
        """
        line = _line({"type": "header", **source_facts(info), **header})
        self._model: ModelInfo | None = None
        self._networks = {name: header.get(name) for name in network_facts(ModelInfo())}
        super().__init__(path, overwrite=overwrite, beginning=line)

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's line; the image is not used.

        Raises:
            SepcamError: If it cannot be written (a full disk).
        """
        frame = result.frame
        if result.model is not self._model:
            self._note_networks(result.model, frame.index)
        line: dict[str, Any] = {"type": "frame", "frame": frame.index, "time_s": round(frame.time_s, 6)}
        if frame.name:
            line["name"] = frame.name
        line["objects"] = objects(result.instances)
        self._file.write(_line(line))

    def _note_networks(self, model: ModelInfo, index: int) -> None:
        """Writes a line where the frames from ``index`` on have other networks than the lines before say."""
        self._model, networks = model, network_facts(model)
        if model.detector and networks != self._networks:
            self._networks = networks
            self._file.write(_line({"type": "networks", "frame": index, **networks}))

    def _ending(self, summary: RunSummary) -> str:
        """The summary line."""
        return _line({"type": "summary", **summary_facts(summary)})


def _line(values: Mapping[str, Any]) -> str:
    line = json.dumps(values, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    return f"{as_unicode(line)}\n"


def _open(path: Path, context: SinkContext) -> Sink:
    return JsonlSink(path, context.info, context.header, overwrite=context.overwrite)


KIND = SinkKind(
    "jsonl",
    frozenset(("video", "images", "live")),
    lambda name: name.path(".jsonl"),
    _open,
)
