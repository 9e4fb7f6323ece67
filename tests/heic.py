"""Makes HEIC files as phones do: HEVC tiles, put together by a ``grid`` item (ISO/IEC 23008-12, 6.6.2.3)."""

import io
import struct

import av
import numpy as np


def heic(image: np.ndarray, *, tiles: int = 2) -> bytes:
    """An (H, W, 3) uint8 BGR image as ``tiles`` x ``tiles`` tiles; H and W divide by 2 ``tiles``."""
    height, width = image.shape[0] // tiles, image.shape[1] // tiles
    encoded = [
        _encoded(image[y * height : (y + 1) * height, x * width : (x + 1) * width])
        for y in range(tiles)
        for x in range(tiles)
    ]
    count, grid_id = len(encoded), len(encoded) + 1
    grid = struct.pack(">BBBBHH", 0, 0, tiles - 1, tiles - 1, width * tiles, height * tiles)
    names = [_info(i + 1, b"hvc1", hidden=1) for i in range(count)] + [_info(grid_id, b"grid", hidden=0)]
    properties = _box(
        b"iprp",
        _box(
            b"ipco",
            _box(b"hvcC", encoded[0][0]),
            _full(b"ispe", struct.pack(">II", width, height)),
            _full(b"ispe", struct.pack(">II", width * tiles, height * tiles)),
            _full(b"pixi", b"\x03\x08\x08\x08"),
        ),
        _full(
            b"ipma",
            struct.pack(">I", grid_id),
            *[struct.pack(">HBBBB", i + 1, 3, 0x81, 2, 4) for i in range(count)],
            struct.pack(">HBBB", grid_id, 2, 3, 4),
        ),
    )

    def meta(first: int) -> bytes:
        at, places = first, b""
        for i, (_, data) in enumerate(encoded):
            places += struct.pack(">HHHHII", i + 1, 0, 0, 1, at, len(data))
            at += len(data)
        places += struct.pack(">HHHHII", grid_id, 1, 0, 1, 0, len(grid))
        return _full(
            b"meta",
            _full(b"hdlr", struct.pack(">I4s12s", 0, b"pict", b"") + b"\0"),
            _full(b"pitm", struct.pack(">H", grid_id)),
            _full(b"iinf", struct.pack(">H", grid_id), *names),
            _full(b"iref", _box(b"dimg", struct.pack(f">HH{count}H", grid_id, count, *range(1, count + 1)))),
            properties,
            _full(b"iloc", struct.pack(">BBH", 0x44, 0, grid_id), places, version=1),
            _box(b"idat", grid),
        )

    head = _box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1heic")
    first = len(head) + len(meta(0)) + 8
    return head + meta(first) + _box(b"mdat", *[data for _, data in encoded])


def _encoded(tile: np.ndarray) -> tuple[bytes, bytes]:
    """The decoder configuration and the one packet of a tile."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx265", rate=1, options={"x265-params": "log-level=none:bframes=0"})
        stream.width, stream.height, stream.pix_fmt = tile.shape[1], tile.shape[0], "yuv420p"
        stream.codec_context.codec_tag = "hvc1"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(tile), "bgr24")
        frame.pts = 0
        container.mux([*stream.encode(frame), *stream.encode()])
    with av.open(io.BytesIO(file.getvalue())) as container:
        extradata = container.streams.video[0].codec_context.extradata
        return bytes(extradata or b""), bytes(next(container.demux(video=0)))


def _box(name: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + name + body


def _full(name: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    return _box(name, struct.pack(">I", version << 24 | flags), *parts)


def _info(number: int, kind: bytes, *, hidden: int) -> bytes:
    return _full(b"infe", struct.pack(">HH", number, 0) + kind + b"\0", version=2, flags=hidden)
