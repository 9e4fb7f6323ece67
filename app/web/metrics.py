"""Metrics in Prometheus' text format."""

from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from .camera.routes import Cameras
from .live.routes import Live
from .live.sources import Sources
from .videos.jobs import VideoJobs

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Reads the metrics whenever Prometheus asks."""

    def __init__(self, sources: Sources, cameras: Cameras, jobs: VideoJobs) -> None:
        self._sources, self._cameras, self._jobs = sources, cameras, jobs
        self._registry = CollectorRegistry()
        self._registry.register(self)  # type: ignore[arg-type]

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """See ``prometheus_client``."""
        yield GaugeMetricFamily(
            "sepcam_browser_cameras", "Visitors whose cameras are being analyzed.", self._cameras.count
        )
        videos = GaugeMetricFamily("sepcam_videos", "Video files by state.", labels=["state"])
        for state, count in self._jobs.states().items():
            videos.add_metric([state], count)
        yield videos
        if self._sources.lives:
            yield from _of_live(self._sources.lives)


def _of_live(lives: Sequence[Live]) -> Iterator[Metric]:
    """The metrics of the sources; where there are several, each has the name of its source."""
    named = ["source"] if len(lives) > 1 else []
    up = GaugeMetricFamily("sepcam_live_up", "Whether the source delivers frames.", labels=named)
    viewers = GaugeMetricFamily("sepcam_live_viewers", "Browsers that watch the live frames.", labels=named)
    people = GaugeMetricFamily("sepcam_live_people", "People in the last frame.", labels=named)
    shown = CounterMetricFamily("sepcam_live_frames_shown", "Frames shown.", labels=named)
    dropped = CounterMetricFamily(
        "sepcam_live_frames_dropped", "Frames dropped for newer ones.", labels=named
    )
    rates = GaugeMetricFamily(
        "sepcam_live_fps", "Frames per second that arrive, and that are shown.", labels=[*named, "of"]
    )
    models = GaugeMetricFamily(
        "sepcam_live_model_fps",
        "Frames per second that the analysis alone reaches.",
        labels=[*named, "backbone"],
    )
    latency = GaugeMetricFamily(
        "sepcam_live_latency_seconds", "From a frame's arrival to its display.", labels=[*named, "quantile"]
    )
    for live in lives:
        name = [live.feed.name] if named else []
        session = live.feed.session
        there = session is not None and not session.ended and (session.paused or session.notice() is None)
        up.add_metric(name, int(there))
        viewers.add_metric(name, live.viewers)
        if session is None:
            continue
        figures = session.status().figures
        meter = figures.meter
        shot = session.wait(0, 0)
        people.add_metric(name, 0 if shot is None else int(shot.result.instances.people.sum()))
        shown.add_metric(name, meter.frames)
        dropped.add_metric(name, meter.dropped)
        for of, rate in (("camera", meter.source_fps), ("shown", meter.processing_fps)):
            if rate is not None:
                rates.add_metric([*name, of], rate)
        for backbone, fps in figures.model_fps.items():
            models.add_metric([*name, backbone], fps)
        for quantile, milliseconds in (("0.5", meter.latency_ms_p50), ("0.95", meter.latency_ms_p95)):
            if milliseconds is not None:
                latency.add_metric([*name, quantile], milliseconds / 1e3)
    yield from (up, viewers, people, shown, dropped, rates, models, latency)
