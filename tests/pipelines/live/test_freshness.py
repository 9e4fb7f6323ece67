"""However slow the analysis is, the picture shown is a fresh one: nothing piles up."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sepcam.models.types import Detections
from sepcam.pipelines.execution.network_pool import NetworkPool
from sepcam.pipelines.live.session import LiveSession
from sepcam.pipelines.live.settings import LiveSettings
from sepcam.pipelines.sources.open_live import open_live
from sepcam.pipelines.sources.realtime import PacedSource
from sepcam.pipelines.sources.reconnecting import ReconnectingSource
from sepcam.pipelines.sources.synthetic import read_index, stamp_index

from tests.streams import NetworkCamera
from tests.walkers import SIZE, CenterPose, Clock, square_picture

WATCHED_S = 12.0
ANALYSIS_S = 0.2  # five a second, of cameras with thirty
FRESH_S = 0.3


class Slow:
    """Finds nobody, and takes its time over it."""

    name, labels, parts = "slow", ("person",), frozenset()

    def detect(self, image):
        time.sleep(ANALYSIS_S)
        return Detections.empty()


def ages_shown(source: PacedSource | ReconnectingSource, now_ms: Callable[[], int]) -> np.ndarray:
    """(N, 2) seconds: when each picture was shown, and how old it was then."""
    pool = NetworkPool(lambda *key: Slow(), lambda *key: CenterPose())
    settings = LiveSettings("slow", tasks=frozenset(), hud="off")
    ages: list[tuple[float, float]] = []
    with LiveSession(source, pool, settings, target_fps=0, prepare_ahead=False) as session:
        session.start()
        begun = time.monotonic()
        number = 0
        while (shown_s := time.monotonic() - begun) < WATCHED_S:
            shot = session.wait(number, WATCHED_S)
            assert shot is not None, session.error
            number = shot.number
            ages.append((shown_s, (now_ms() - read_index(shot.image)) / 1e3))
            session.shown(shot)
        figures = session.status().figures.meter
        assert figures.dropped > 3 * figures.frames
    return np.array(ages)


def test_after_some_time_of_slow_analysis_the_picture_shown_is_fresh():
    """A camera, and streams with a real encoder, socket and decoder; each picture bears its time."""
    camera = Clock()

    def clock(number):
        image = square_picture(0, SIZE)
        stamp_index(image, camera.now_ms())
        return image

    with (
        NetworkCamera("mpegts", clock) as http,
        NetworkCamera("rtsp", clock) as rtsp,
        ThreadPoolExecutor() as pool,
    ):
        sources = ReconnectingSource(lambda: camera), open_live(http.url), open_live(rtsp.url)
        measured = list(pool.map(lambda source: ages_shown(source, camera.now_ms), sources))
    for name, (at_s, age_s) in zip(("camera", "http", "rtsp"), (ages.T for ages in measured), strict=True):
        for begin_s in (4.0, 8.0):
            shown = age_s[(at_s >= begin_s) & (at_s < begin_s + 4)]
            # What piles up is in every picture; what a loaded machine adds is not.
            assert np.quantile(shown, 0.1) < FRESH_S, (name, begin_s, np.quantile(shown, [0, 0.1, 0.5, 1]))
