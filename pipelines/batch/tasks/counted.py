"""Parts of a long file whose images show counts: these depend on all parts before."""

import time
from dataclasses import replace

from ...drawing.trails import Trails
from ...events import ZoneCount
from ...execution.stages import Stage, run_stages
from ...hiding.anonymize import Anonymizer
from ...media.encoding import encoders_of
from ...pipeline import Pipeline
from ...process_file import overlay_of, watch_of
from ...sinks.fan_out import FanOut
from ...sinks.formats.video import VideoSink
from ...sources.video import VideoSource
from ...types import Frame, FrameResult, MeterSnapshot
from ..state.settings import JobSettings
from .part_results import open_part, results_of, summary_of
from .segment_store import keep, kept, note, noted
from .types import DrawTask, Report, TaskResult, WatchTask


def watch_parts(task: WatchTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    """Counts at the lines and zones in every frame of all parts."""
    with VideoSource(task.source.name) as source:
        info = source.info
    watch = watch_of(networks, info, settings.watching)
    assert watch is not None  # only tracked people are counted
    done = 0
    for part in task.parts:
        counts = []
        for result in results_of([part], info, networks.model, done):
            counts.append(tuple(watch.update(result).counts))
        keep(part.counts, counts)
        done += len(counts)
        report(done, None)
    result = TaskResult(done)
    note(task.parts[0].path("watched", ".json"), summary_of(result))
    return result


def draw_part(task: DrawTask, settings: JobSettings, networks: Pipeline, report: Report) -> TaskResult:
    """Draws and encodes a part whose counts are known."""
    begun = time.perf_counter()
    part, hiding, anonymizer, trails = task.part, settings.hiding, Anonymizer(), Trails()
    counts: list[tuple[ZoneCount, ...]] = kept(part.counts)
    source = open_part(task, part.start_s, part.end_s)
    overlay = overlay_of(networks, source.info, settings.drawing, trails)
    for before in results_of(task.before, source.info, networks.model):
        anonymizer.see(before, hiding)
        trails.update(before)
    found = list(results_of([part], source.info, networks.model))
    info = replace(source.info, start_s=found[0].frame.time_s, partial=True, has_audio=False)
    took = (noted(part.path("detected", ".json")) or {}).get("stage_ms", {})
    took |= (noted(part.path("rendered", ".json")) or {}).get("stage_ms", {})
    meter = MeterSnapshot(source.info.fps, 1e3 / max(1e-3, sum(took.values())), took)
    sink = VideoSink(part.video, info, overwrite=True, encoders=encoders_of(settings.encoder))

    def draw(frame: Frame) -> FrameResult:
        result = replace(found[frame.index], frame=frame, counts=counts[frame.index], meter=meter)
        anonymizer.hide(frame.image, result, hiding)
        overlay.draw(frame.image, result)
        return result

    recorder = FanOut([sink])
    stages = [Stage("draw", draw), Stage("encode", lambda result: recorder.write(result, None))]
    try:
        for done, _ in enumerate(run_stages(source, stages, on_time=recorder.took), 1):
            report(done, len(found))
        summary = recorder.finish(source.warnings)
    except BaseException:
        recorder.abort()
        raise
    seconds = time.perf_counter() - begun
    sound = recorder.frames == len(found) and source.sound
    result = TaskResult(recorder.frames, seconds=seconds, stage_ms=summary.stage_ms, sound=sound)
    note(part.path("drawn", ".json"), summary_of(result))
    return result
