"""Results as a table: Parquet, one row per object and frame."""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ....models.errors import SepcamError
from ....models.files import PartialFile, fit_name
from ....models.types import U8
from ...files.text import as_unicode
from ...types import FrameResult, RunSummary, StreamInfo
from ..base import ResultName, Sink, SinkContext, SinkKind
from ..serialize import (
    METER_DECIMALS,
    PIXEL_DECIMALS,
    SCORE_DECIMALS,
    rounded,
    source_facts,
    summary_facts,
)

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_NAME: Final = "objects.parquet"
"""The folder of the table that holds the results of all sources."""

ROWS: Final = 4096
"""Rows of a row group; at most this many are held in memory, about 2 kB each."""

_SPECIAL: Final = re.compile(r"""^[_.]|[\x00-\x1f\x7f"#%'*/:=?\\{}\[\]^]""")
"""What Hive quotes in names of partitions, and a first character by which readers know hidden files."""

METADATA_KEY: Final = "sepcam"
"""Under this key the file's metadata hold a JSON object: ``header`` and ``summary``, as in JSON Lines."""


def partition(dataset: Path, source: str) -> Path:
    """The file for one source in a dataset that is partitioned by source, as Hive does it.

    Args:
        dataset: its folder, which reads as one table with a column ``source``.
        source: what that column says.
    """
    name = _SPECIAL.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), source)
    # A limit of its own, so that a name too long for the file is shortened in the folder's name as well.
    name = fit_name(dataset, name, "", room=len("source=.parquet"))
    return dataset / f"source={name}" / f"{name}.parquet"


def schema() -> "pa.Schema":
    """The columns; what was not asked for, or what an object lacks, is null.

    Boxes and keypoints are in pixels, frames count from 0, masks are COCO's compressed RLE.

    Raises:
        SepcamError: If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise SepcamError("Parquet needs pyarrow: pip install 'sepcam[parquet]'") from error
    pixels = pa.float32()
    point = pa.struct([("x", pixels), ("y", pixels), ("score", pa.float32())])
    mask = pa.struct([("size", pa.list_(pa.int32(), 2)), ("counts", pa.string())])
    always = {"frame": pa.int64(), "time_s": pa.float64(), "label": pa.string(), "score": pa.float32()}
    box = dict.fromkeys(("x1", "y1", "x2", "y2"), pixels)
    return pa.schema(
        [
            *(pa.field(name, kind, nullable=False) for name, kind in (always | box).items()),
            ("track_id", pa.int64()),
            pa.field("detected", pa.bool_(), nullable=False),
            ("presence", pa.float32()),
            ("keypoints", pa.list_(point)),
            ("depths", pa.list_(pixels)),
            ("world", pa.list_(pa.struct([(name, pa.float32()) for name in "xyz"]))),
            ("mask", mask),
            ("image", pa.string()),
        ]
    )


class ParquetSink(Sink):
    """A Parquet file with one row per object and frame; ``schema`` has the columns."""

    def __init__(
        self, path: Path, info: StreamInfo, header: Mapping[str, Any], *, overwrite: bool = False
    ) -> None:
        """Open the file.

        Args:
            path: of the finished file; it appears on ``close``.
            info: of the source.
            header: what else the metadata say: version, models, backbone, tasks, keypoint names, skeleton.
            overwrite: whether a file of that name may be replaced.

        Raises:
            SepcamError: If pyarrow is missing, the target exists, or its folder cannot be written to.
        """
        self._schema = schema()
        from pyarrow.parquet import ParquetWriter

        self._header = {**source_facts(info), **header}
        self._rows = _Rows()
        self._file = PartialFile(path, overwrite=overwrite)
        with ExitStack() as undo:
            undo.callback(self._file.discard)
            # A Python file, because its errors tell a full disk from others.
            self._raw = undo.enter_context(open(self._file.path, "wb"))
            self._writer = ParquetWriter(self._raw, self._schema, compression="zstd")
            undo.pop_all()

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Add a frame's objects; the image is not used.

        Raises:
            SepcamError: If they cannot be written (a full disk).
        """
        self._rows.add(result)
        if len(self._rows) >= ROWS:
            try:
                self._flush()
            except OSError as error:
                raise self._file.failure(error) from error

    def close(self, summary: RunSummary) -> None:
        """Finish the file and give it its name.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        self.prepare(summary)
        self._file.publish()

    def prepare(self, summary: RunSummary) -> None:
        """Write the last rows and the metadata.

        Raises:
            SepcamError: If it cannot be written; nothing is left then.
        """
        if self._raw.closed:
            return
        about = {"header": self._header, "summary": summary_facts(summary)}
        try:
            self._flush()
            text = as_unicode(json.dumps(about, ensure_ascii=False))
            self._writer.add_key_value_metadata({METADATA_KEY: text})
            self._writer.close()
            self._raw.close()
        except OSError as error:
            self.abort()
            raise self._file.failure(error) from error
        self._file.flush()

    def abort(self) -> None:
        """Delete the unfinished file."""
        with suppress(OSError):
            self._writer.close()
        with suppress(OSError):
            self._raw.close()
        self._file.discard()

    def _flush(self) -> None:
        if len(self._rows):
            self._writer.write_batch(self._rows.batch(self._schema))
            self._rows = _Rows()


class _Rows:
    """Rows that wait to be written, column by column."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._points: list[npt.NDArray[np.float32]] = []

    def __len__(self) -> int:
        return len(self._columns.get("frame", ()))

    def add(self, result: FrameResult) -> None:
        """Adds the objects of a frame."""
        found, frame = result.instances, result.frame
        count = len(found)
        nothing = [None] * count
        people = found.people.tolist()
        presence = nothing if found.presence is None else rounded(found.presence, SCORE_DECIMALS)
        columns: dict[str, list[Any]] = {
            "frame": [frame.index] * count,
            "time_s": [round(frame.time_s, 6)] * count,
            "label": [found.names[label] for label in found.labels.tolist()],
            "score": rounded(found.scores, SCORE_DECIMALS),
            **dict(zip(("x1", "y1", "x2", "y2"), rounded(found.boxes.T, PIXEL_DECIMALS), strict=True)),
            "track_id": nothing if found.track_ids is None else found.track_ids.tolist(),
            "detected": [True] * count if found.coasted is None else (~found.coasted).tolist(),
            "presence": _of(people, presence),
            "keypoints": nothing,
            "depths": nothing,
            "world": nothing,
            "mask": [None if m is None else m.to_rle(*found.size) for m in found.masks or nothing],
            "image": [as_unicode(frame.name) or None] * count,
        }
        if found.space is not None:
            depths, world = found.space[..., 0], found.space[..., 1:]
            columns["depths"] = _of(people, rounded(depths, PIXEL_DECIMALS))
            columns["world"] = [
                points and [dict(zip("xyz", point, strict=True)) for point in points]
                for points in _of(people, rounded(world, METER_DECIMALS))
            ]
        if found.keypoints is not None:
            # How many each object has; the points themselves lie in one array.
            columns["keypoints"] = [found.keypoints.shape[1] if person else None for person in people]
            self._points.append(found.keypoints[found.people].reshape(-1, 3))
        for name, values in columns.items():
            self._columns.setdefault(name, []).extend(values)

    def batch(self, wanted: "pa.Schema") -> "pa.RecordBatch":
        """All rows, in the columns of ``schema``."""
        import pyarrow as pa

        arrays = [
            self._keypoints(field.type) if field.name == "keypoints" else pa.array(values, field.type)
            for field in wanted
            for values in [self._columns[field.name]]
        ]
        return pa.record_batch(arrays, schema=wanted)

    def _keypoints(self, kind: "pa.DataType") -> "pa.Array":
        import pyarrow as pa

        counts = self._columns["keypoints"]
        points = np.concatenate(self._points or [np.zeros((0, 3), np.float32)]).astype(np.float64)
        decimals = (PIXEL_DECIMALS, PIXEL_DECIMALS, SCORE_DECIMALS)
        values = [points[:, i].round(d).astype(np.float32) for i, d in enumerate(decimals)]
        ends = np.cumsum([0, *(count or 0 for count in counts)])
        # A list that begins at null is null itself.
        missing = np.array([*(count is None for count in counts), False])
        offsets = pa.array(ends, pa.int32(), mask=missing)
        flat = pa.StructArray.from_arrays([pa.array(v) for v in values], fields=list(kind.value_type))
        return pa.ListArray.from_arrays(offsets, flat)


def _of(people: Sequence[bool], values: Sequence[Any]) -> list[Any]:
    """The values of people, None for others."""
    return [value if person else None for person, value in zip(people, values, strict=True)]


def _path(name: ResultName) -> Path:
    # With its suffix, or the readers of the table take a name such as 0001 for a number.
    return partition(name.folder / TABLE_NAME, f"{name.subfolder}/{name.stem}{name.suffix}".lstrip("/"))


def _open(path: Path, context: SinkContext) -> Sink:
    return ParquetSink(path, context.info, context.header, overwrite=context.overwrite)


def _check() -> None:
    schema()


KIND = SinkKind(
    "parquet",
    frozenset(("video", "images", "live")),
    _path,
    _open,
    check=_check,
)
