"""The work on the parts of a long file.

Detecting is the same in any order, so parts are detected at the same time. Identities are not: the tracker
goes through what was found from the first frame to the last, as it would in one run. Landmarks and masks
follow people through the frames and are smoothed over those around, so each part begins a little before its
first frame and ends a little after its last. All is drawn and encoded, again at the same time, and joined.
"""

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from ....models.types import U8, Detections
from ...analysis.analyzer import Analyzer
from ...analysis.first_sight import WAIT
from ...analysis.scenes import Cuts, Scenes, thumbnail_of
from ...analysis.two_sided import MOST_FRAMES
from ...execution.network_set import NetworkSet
from ...media.concat import concatenate
from ...media.containers import clock_start, frame_rate, open_video, stream_length
from ...media.encoding import encoders_of
from ...media.timestamps import FrameClock
from ...pipeline import Pipeline
from ...process_file import context, overlay_of, watch_of
from ...sinks.base import Sink
from ...sinks.fan_out import FanOut
from ...sinks.formats.video import VideoSink
from ...sinks.registry import open_sinks, sink_kinds
from ...sources.video import VideoSource
from ...tracking.base import create_tracker
from ...tracking.colors import with_colors
from ...tracking.settings import settings_for
from ...types import Frame, FrameResult, RunSummary
from ..state.journal import fingerprint
from ..state.settings import JobSettings
from .counted import draw_part, watch_parts
from .part_results import KeptResults, no_image, open_part, results_of, summary_of
from .replay import RecordingTracker, Replay, ReplayTracker
from .segment_store import Followed, keep, kept, note
from .types import (
    CutTask,
    DetectTask,
    DrawTask,
    JoinTask,
    RenderTask,
    Report,
    Task,
    TaskResult,
    TrackTask,
    WatchTask,
    made_by_sepcam,
)

WARM_UP = 60
"""Frames before a part in which landmarks settle on the people; their results are thrown away."""

_AFTER = MOST_FRAMES + WAIT
"""Frames after a part that its last frames are completed and smoothed by."""


def run_part_task(task: Task, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    """Does one of these tasks, see ``run_task``.

    Raises:
        SepcamError: If the file cannot be read, or a result cannot be written.
        KeyboardInterrupt: If it was ended early.
    """
    if isinstance(task, CutTask):
        return _cut(task)
    if isinstance(task, DetectTask):
        return _detect(task, networks, report)
    if isinstance(task, TrackTask):
        return _track(task, settings, networks, report)
    if isinstance(task, RenderTask):
        return _render(task, settings, networks, report)
    if isinstance(task, WatchTask):
        return watch_parts(task, settings, networks, report)
    if isinstance(task, DrawTask):
        return draw_part(task, settings, networks, report)
    assert isinstance(task, JoinTask)
    return _join(task, settings, networks, report)


def _cut(task: CutTask) -> TaskResult:
    if task.source.found and made_by_sepcam(task.source.name):
        return TaskResult(skipped="it was made by Sepcam")
    with VideoSource(task.source.name) as source:
        info = source.info
    cuts = find_cuts(task.source.name, task.count, task.least_s, task.most_s) if info.time_base else ()
    return TaskResult(cuts=cuts)


def find_cuts(path: str, count: int, least_s: float, most_s: float = math.inf) -> tuple[float, ...]:
    """Times of key frames, in seconds of the file, that part it into about ``count`` equal parts.

    There are more where these would be longer than ``most_s``, and none where it has no length or no index,
    or too few key frames, or the parts would be shorter than ``least_s``.

    Raises:
        SepcamError: If it is no video that can be opened.
    """
    container, stream = open_video(path)
    with container:
        length, tick = stream_length(stream), stream.time_base
        if not length or not tick:
            return ()
        count = min(max(count, math.ceil(length / most_s)), int(length / least_s))
        origin = clock_start(container, stream)
        cuts: list[float] = []
        for number in range(1, count):
            with suppress(OSError, ValueError):
                container.seek(int((length * number / count + float(origin)) / tick), stream=stream)
                packet = next(container.demux(stream))
                if packet.pts is None or not packet.is_keyframe:
                    return ()
                time_s = FrameClock(tick, frame_rate(stream), origin).time_s(packet.pts)
                if time_s - (cuts[-1] if cuts else 0.0) >= least_s / 2:
                    cuts.append(time_s)
        return tuple(cuts)


def _detect(task: DetectTask, networks: Pipeline, report: Report) -> TaskResult:
    begun = time.perf_counter()
    found: list[tuple[float, Detections]] = []
    thumbnails: list[U8] = []
    took = []
    detector, options = networks.networks.detector, networks.options
    least = settings_for(detector.name).with_confidence(options.conf).high
    with open_part(task, task.part.start_s, task.part.end_s) as source:
        for frame in source:
            at = time.perf_counter()
            detections = detector.detect(frame.image)
            if options.goes_by_colors:
                detections = with_colors(detections, frame.image, least)
            found.append((frame.time_s, detections))
            thumbnails.append(thumbnail_of(frame.image))
            took.append(time.perf_counter() - at)
            report(len(found), None)
        sound = source.sound and (not source.warnings)
    keep(task.part.detections, found)
    keep(task.part.thumbnails, thumbnails)
    median = {"detect": float(np.median(took)) * 1e3} if took else {}
    result = TaskResult(
        len(found), seconds=time.perf_counter() - begun, stage_ms=median, sound=sound and bool(found)
    )
    note(task.part.path("detected", ".json"), summary_of(result))
    return result


def _track(task: TrackTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    with VideoSource(task.source.name) as source:
        info = source.info
    options = replace(networks.options, tasks=("track",), detect_every=1)
    thresholds = settings_for(networks.model.detector).with_confidence(options.conf)
    detector = networks.networks.detector
    tracker = RecordingTracker(create_tracker(options.tracker, detector.labels, thresholds, info.fps))
    replay = Replay(detector)
    cuts, thumbnails = Cuts(), iter(())
    analyzer = Analyzer(
        NetworkSet(replay),
        options,
        tracker=tracker,
        scenes=Scenes(info.fps, lambda image: cuts.begin_by(next(thumbnails))),
        fps=info.fps,
    )
    image = no_image(info)
    done = 0
    for part in task.parts:
        tracker.recorded = []
        thumbnails = iter(kept(part.thumbnails))
        for time_s, found in kept(part.detections):
            replay.next = found
            analyzer.analyze(Frame(image, done, time_s))
            done += 1
            report(done, None)
        keep(part.tracks, tracker.recorded)
    result = TaskResult(done)
    note(task.parts[0].path("tracked", ".json"), summary_of(result))
    return result


def _render(task: RenderTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    begun = time.perf_counter()
    found: list[tuple[float, Detections]] = kept(task.part.detections)
    tracked, own = "track" in networks.options.tasks, len(found)
    follows: list[Followed] = kept(task.part.tracks) if tracked else []
    warm, start_s, end_s = 0, task.part.start_s, task.part.end_s
    if task.after is not None and tracked:
        later: list[tuple[float, Detections]] = kept(task.after.detections)
        end_s = later[_AFTER][0] if len(later) > _AFTER else task.after.end_s
        found += later[:_AFTER]
        follows += kept(task.after.tracks)[:_AFTER]
    if task.before is not None:
        earlier: list[tuple[float, Detections]] = kept(task.before.detections)[-WARM_UP:]
        warm, start_s = len(earlier), earlier[0][0]
        found = earlier + found
        follows = (kept(task.before.tracks)[-WARM_UP:] if tracked else []) + follows
    source = open_part(task, start_s, end_s)
    whole = replace(source.info, start_s=0.0, partial=False)
    replay, follower = Replay(networks.networks.detector), ReplayTracker(follows) if tracked else None
    analyzer = networks.analyzer(
        whole, networks=replace(networks.networks, detector=replay), tracker=follower
    )
    made = KeptResults(task.part)
    written: list[Sink] = [made]
    if task.draw:
        info = replace(whole, start_s=found[warm][0], partial=True, has_audio=False)
        encoders = encoders_of(settings.encoder)
        written.append(VideoSink(task.part.video, info, overwrite=True, encoders=encoders))
    recorder = FanOut([_Within(sink, range(task.first, task.first + own)) for sink in written])
    shifted = _Shifted(source, found, replay, task.first - warm)
    try:
        results = networks.run(
            shifted,
            overlay=overlay_of(networks, whole, settings.drawing) if task.draw else None,
            recorder=recorder,
            analyzer=analyzer,
            hiding=settings.hiding if task.draw else None,
        )
        for done, _ in enumerate(results, 1):
            report(min(max(0, done - warm), own), own)
        summary = recorder.finish(source.warnings)
    except BaseException:
        recorder.abort()
        raise
    result = TaskResult(
        recorder.frames - (len(found) - own),
        seconds=time.perf_counter() - begun,
        stage_ms={stage: ms for stage, ms in summary.stage_ms.items() if stage != "detect"},
        sound=recorder.frames == len(found) and source.sound,
    )
    note(task.part.path("rendered", ".json"), summary_of(result))
    return result


def _join(task: JoinTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    with VideoSource(task.source.name) as source:
        info = source.info
    files = task.target.files
    records = {save: path for save, path in files.items() if not sink_kinds()[save].image}
    watch = watch_of(networks, info, settings.watching)
    run = context(task.target, info, networks, overwrite=task.overwrite, watching=settings.watching)
    recorder = FanOut(open_sinks(records, run))
    try:
        for result in results_of(task.parts, info, networks.model):
            recorder.write(result if watch is None else watch.update(result), None)
            report(recorder.frames, info.frame_count)
        report(recorder.frames, recorder.frames)
        notices: Sequence[str] = ()
        counted = recorder.counted(() if watch is None else watch.end())
        seconds = time.time() - task.begun
        rate = counted.frames / max(seconds, 1e-9)
        summary = replace(counted, seconds=seconds, fps=rate, stage_ms=dict(task.stage_ms))
        recorder.prepare(summary)
        if "video" in files:
            audio = task.source.name if info.has_audio else None
            videos = [(part.video, kept(part.detections)[0][0]) for part in task.parts]
            notices = concatenate(files["video"], info, videos, audio, overwrite=task.overwrite)
        recorder.close(summary)
    except BaseException:
        recorder.abort()
        raise
    outputs = tuple(fingerprint(path) for path in files.values())
    notices = (*notices, *recorder.notices)
    return TaskResult(
        summary.frames,
        summary.people,
        seconds,
        outputs,
        notices,
        summary.stage_ms,
        statistics=summary.statistics,
    )


class _Shifted:
    """A part of a file whose frames have the indices that they have in the whole file."""

    def __init__(
        self, source: VideoSource, found: Sequence[tuple[float, Detections]], replay: Replay, first: int
    ) -> None:
        replay.waiting = iter([detections for _, detections in found])
        self.info, self.warnings = source.info, source.warnings
        self._source, self._first, self._count = source, first, len(found)

    def __enter__(self) -> "_Shifted":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        for frame in self._source:
            if frame.index < self._count:
                yield replace(frame, index=frame.index + self._first)

    def close(self) -> None:
        """Let go of the file."""
        self._source.close()


class _Within(Sink):
    """Passes a sink only the frames of some indices."""

    def __init__(self, sink: Sink, indices: range) -> None:
        self._sink, self._indices = sink, indices
        self.needs_clean_image = sink.needs_clean_image

    def write(self, result: FrameResult, image: U8 | None = None) -> None:
        """Passes on what is neither before nor after."""
        if result.frame.index in self._indices:
            self._sink.write(result, image)

    def prepare(self, summary: RunSummary) -> None:
        """Prepare it."""
        self._sink.prepare(summary)

    def close(self, summary: RunSummary) -> None:
        """Finish it."""
        self._sink.close(summary)

    def abort(self) -> None:
        """Leave nothing behind."""
        self._sink.abort()
