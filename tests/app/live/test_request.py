"""What a live session begins with can be switched back to, and switched in every way."""

from dataclasses import replace

from sepcam.app.live.request import LiveRequest, detector_names, load_networks
from sepcam.models.zoo import load_detector
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.analytics.options import WatchOptions
from sepcam.pipelines.drawing.options import DrawOptions
from sepcam.pipelines.hiding.options import Hiding
from sepcam.pipelines.live.adaptive_quality import Quality
from sepcam.pipelines.live.analysis import choice_for

REQUEST = LiveRequest(
    source="synthetic",
    analysis=AnalysisOptions("tests.walkers:SquareDetector", tasks=("track",), detect_every="auto"),
    size=None,
    rate=None,
    loop=False,
    target_fps=None,
    reconnect_timeout_s=None,
    hiding=Hiding(),
    watching=WatchOptions(),
    drawing=DrawOptions(),
)


def test_a_detector_of_the_users_own_is_loaded_again_from_where_it_came():
    loaded = load_networks(REQUEST)
    assert loaded.settings.detector == "squares"
    other = replace(choice_for(loaded.settings, Quality()), backbone="standard")
    assert loaded.pool.wait(other).detector.name == "squares"
    loaded.pool.close()


def test_both_forms_run_in_the_precision_that_the_first_was_loaded_in(monkeypatch):
    asked, loaded_in = [], []

    def measured(options, store, progress, *, both_forms):
        asked.append(both_forms)
        return replace(options.runtime, precision="bf16")

    def loading(name, *, backbone, options, **others):
        loaded_in.append((backbone, options.precision))
        return load_detector(name, backbone=backbone, options=options, **others)

    monkeypatch.setattr("sepcam.pipelines.pipeline.runtime_for", measured)
    monkeypatch.setattr("sepcam.pipelines.execution.network_pool.load_detector", loading)
    loaded = load_networks(REQUEST)
    loaded.pool.wait(replace(choice_for(loaded.settings, Quality()), backbone="standard"))
    loaded.pool.close()

    assert asked == [True]
    assert loaded.pipeline.runtime.precision == "bf16"
    assert loaded_in == [("standard", "bf16")]


def test_the_detectors_to_switch_between_are_the_first_one_and_those_of_the_registry():
    names = detector_names("squares")
    assert names[0] == "squares" and "yolox-nano" in names
    assert detector_names("yolox-nano").count("yolox-nano") == 1
