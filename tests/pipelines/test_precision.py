"""Which precision a pipeline's detector runs in where the user leaves it to the machine."""

from pathlib import Path

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines import precision
from sepcam.pipelines.analysis.options import AnalysisOptions
from sepcam.pipelines.execution.precision import Choice
from sepcam.pipelines.pipeline import Pipeline

PEOPLE = AnalysisOptions("people", tasks=("track",))


@pytest.fixture
def measured(cache_dir: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was measured on a machine that computes in bf16; it is chosen."""
    asked: list[tuple[str, ...]] = []

    def choose(load, candidates, images, careful):
        asked.append(tuple(candidates))
        return Choice("bf16", 10.0, 20.0, 0.2)

    monkeypatch.delenv("SEPCAM_PRECISION")
    monkeypatch.setattr("sepcam.models.runtime.openvino_backend.computes_in", lambda name: name == "bf16")
    monkeypatch.setattr(precision, "choose", choose)
    return asked


def test_auto_is_what_was_measured_and_a_named_one_is_left_alone(measured):
    pipeline = Pipeline(PEOPLE)

    assert pipeline.runtime.precision == "bf16"
    assert pipeline.options == PEOPLE
    assert Pipeline(PEOPLE).runtime.precision == "bf16"
    assert (
        Pipeline(AnalysisOptions.from_json(PEOPLE.to_json() | {"precision": "f32"})).runtime.precision
        == "f32"
    )
    assert measured == [("bf16",)]  # once


def test_an_int8_copy_is_of_one_form_so_both_forms_go_without(measured, cache_dir: Path):
    copy = cache_dir / "compiled" / "people-grid-separable-0-any-int8.0.zip"
    copy.parent.mkdir(parents=True)
    copy.touch()

    Pipeline(PEOPLE)
    Pipeline(PEOPLE, both_forms=True)

    assert measured == [("bf16", "int8"), ("bf16",)]


def test_the_environment_says_what_auto_is(measured, monkeypatch):
    monkeypatch.setenv("SEPCAM_PRECISION", "f32")
    assert Pipeline(PEOPLE).runtime.precision == "f32"
    assert not measured

    monkeypatch.setenv("SEPCAM_PRECISION", "auto")
    assert Pipeline(PEOPLE).runtime.precision == "bf16"
    assert measured == [("bf16",)]

    monkeypatch.setenv("SEPCAM_PRECISION", "fast")
    with pytest.raises(SepcamError, match="SEPCAM_PRECISION is 'fast': use one of auto, f32"):
        Pipeline(PEOPLE)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (AnalysisOptions("people", classes=("cat",)), "knows no class 'cat'"),
        (AnalysisOptions("movenet-lightning"), "does not detect"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_measured(measured, options, message):
    with pytest.raises(SepcamError, match=message):
        Pipeline(options)
    assert not measured
