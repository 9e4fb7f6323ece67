"""Interlaced frames as whole images: each field's missing lines are interpolated."""

from collections import deque
from collections.abc import Iterator

import av
from av.filter import Graph

_LEAST_SIDE = 3
"""Pixels; FFmpeg's filter refuses less."""


def deinterlaced(frames: Iterator[tuple[av.VideoFrame, float]]) -> Iterator[tuple[av.VideoFrame, float]]:
    """Passes on as many frames as come in, with their times; progressive ones unchanged.

    Only frames that the decoder marks as interlaced are filtered (FFmpeg's yadif, one image per frame), and
    from the first of them on a frame comes out one frame later.

    Args:
        frames: decoded frames and their times in seconds.

    Raises:
        FFmpegError: If a frame cannot be filtered.
    """
    graph: Graph | None = None
    shape: tuple[int, int, str] | None = None
    times: deque[float] = deque()
    for frame, time_s in frames:
        now = frame.width, frame.height, frame.format.name
        if graph is not None and now != shape:
            graph.push(None)
            yield from _filtered(graph, times)
            graph = None
        if graph is None and frame.interlaced_frame and min(now[:2]) >= _LEAST_SIDE:
            graph, shape = _graph(frame), now
        if graph is None:
            yield frame, time_s
            continue
        times.append(time_s)
        graph.push(frame)
        yield from _filtered(graph, times)
    if graph is not None:
        graph.push(None)
        yield from _filtered(graph, times)


def _graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    graph.threads = 1
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    filter_ = graph.add("yadif", "mode=send_frame:deint=interlaced")
    sink = graph.add("buffersink")
    source.link_to(filter_)
    filter_.link_to(sink)
    graph.configure()
    return graph


def _filtered(graph: Graph, times: deque[float]) -> Iterator[tuple[av.VideoFrame, float]]:
    while times:
        try:
            image = graph.pull()
        except (BlockingIOError, EOFError):
            return
        assert isinstance(image, av.VideoFrame)
        yield image, times.popleft()
