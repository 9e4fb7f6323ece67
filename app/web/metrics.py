"""Metrics in Prometheus' text format."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from .camera.routes import Cameras
from .live.routes import Live
from .videos.jobs import VideoJobs

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """Reads the metrics whenever Prometheus asks."""

    def __init__(self, live: Live | None, cameras: Cameras, jobs: VideoJobs) -> None:
        self._live, self._cameras, self._jobs = live, cameras, jobs
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
        if self._live is not None:
            yield from _of_live(self._live)


def _of_live(live: Live) -> Iterator[Metric]:
    session, status = live.session, live.session.status()
    meter = status.figures.meter
    shot = session.wait(0, 0)
    people = 0 if shot is None else int(shot.result.instances.people.sum())
    yield GaugeMetricFamily("sepcam_live_up", "Whether the source delivers frames.", int(not session.ended))
    yield GaugeMetricFamily("sepcam_live_viewers", "Browsers that watch the live frames.", live.viewers)
    yield GaugeMetricFamily("sepcam_live_people", "People in the last frame.", people)
    yield CounterMetricFamily("sepcam_live_frames_shown", "Frames shown.", meter.frames)
    yield CounterMetricFamily("sepcam_live_frames_dropped", "Frames dropped for newer ones.", meter.dropped)
    rates = GaugeMetricFamily(
        "sepcam_live_fps", "Frames per second that arrive, and that are shown.", labels=["of"]
    )
    for name, rate in (("camera", meter.source_fps), ("shown", meter.processing_fps)):
        if rate is not None:
            rates.add_metric([name], rate)
    yield rates
    models = GaugeMetricFamily(
        "sepcam_live_model_fps", "Frames per second that the analysis alone reaches.", labels=["backbone"]
    )
    for backbone, fps in status.figures.model_fps.items():
        models.add_metric([backbone], fps)
    yield models
    latency = GaugeMetricFamily(
        "sepcam_live_latency_seconds", "From a frame's arrival to its display.", labels=["quantile"]
    )
    for quantile, milliseconds in (("0.5", meter.latency_ms_p50), ("0.95", meter.latency_ms_p95)):
        if milliseconds is not None:
            latency.add_metric([quantile], milliseconds / 1e3)
    yield latency
