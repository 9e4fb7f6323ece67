"""`sepcam compare`: measures what it says, tells bad news first, and writes reports that others can read."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import torch
from sepcam.app import cli
from sepcam.app.compare import comparison as comparing
from sepcam.app.compare import html as report_html
from sepcam.app.compare import report
from sepcam.app.compare import run as compare_run
from sepcam.app.compare.findings import findings
from sepcam.app.compare.measure_pipeline import KINDS, PipelineMeasurement
from sepcam.app.compare.side_by_side import most_crowded, record
from sepcam.models.layers import conversion
from sepcam.models.layers.conv import DepthwiseSeparable, Normalize
from sepcam.models.profiling.variants import VARIANTS, Subject
from sepcam.models.runtime.options import RuntimeOptions
from sepcam.pipelines.drawing.beside import beside
from sepcam.pipelines.sources.open import open_source

from tests.clips import write_clip
from tests.models.profiling.test_external import SMALL
from tests.walkers import pipeline_of, square_picture

OPTIONS = RuntimeOptions("openvino", "cpu", "f32", threads=1)
SCHEMA = json.loads((resources.files("sepcam.app.compare") / "report_schema.json").read_text())


def narrow_paper_network() -> Subject:
    """The paper's network, narrow so that it is quick, and at a small size."""

    def build():
        from sepcam.models.networks.mobilenet import MobileNetV1

        torch.manual_seed(0)
        return MobileNetV1(classes=10, width=0.25).eval()

    return Subject("mobilenet-v1", (64, 64), VARIANTS, build)


def one_block() -> torch.nn.Module:
    return torch.nn.Sequential(Normalize(1, 0, rgb=True), DepthwiseSeparable(3, 8)).eval()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "small.py"
    path.write_text(SMALL)
    return f"{path}:build"


def sepcam(*words) -> int:
    with pytest.raises(SystemExit) as stopped:
        cli.main([str(word) for word in words])
    return int(stopped.value.code or 0)


@pytest.fixture(scope="module")
def made(model, tmp_path_factory):
    """The folder of one comparison, and what the command printed."""
    folder = tmp_path_factory.mktemp("compare") / "out"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "paper_network", narrow_paper_network)
        printed: list[str] = []
        patch.setattr(compare_run.console, "say", printed.append)
        words = ("compare", "synthetic:96x64x24", "--model", model, "--input", "64", "--threads", "1,2")
        assert sepcam(*words, "--rounds", 3, "-o", folder) == 0
    return folder, printed


@pytest.fixture
def written(made):
    return report.read(made[0] / "report.json")


def test_the_report_is_as_its_schema_says(written):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(written, SCHEMA)
    assert written["source"]["name"] == "synthetic"
    assert written["environment"]["cpu_flags"] or not Path("/proc/cpuinfo").exists()
    assert [c["options"]["threads"] for c in written["ceilings"]] == [1, 2]
    assert all(c["gmacs"] > 0 and c["gbs"] > 0 for c in written["ceilings"])


def test_the_report_has_on_record_what_training_gains_the_larger_form(written):
    accuracy = written["trained_alike"]["accuracy"]
    last, few = written["findings"][-2:]
    assert few == "Rounds: 3. With fewer than 5 the intervals mean nothing."
    assert last.startswith("On record, not measured here: ")
    for form in ("before", "separable", "standard"):
        assert f"{accuracy[form]['box_ap']:.1f} and {accuracy[form]['oks_ap']:.1f}" in last
    assert "18 times the weights" in last


def test_every_network_is_measured_in_every_form_and_way(written, model):
    found = [(r["name"], r["options"]["threads"], tuple(r["variants"])) for r in written["results"]]
    twins, all_forms = ("separable", "standard"), VARIANTS
    assert found == [
        (model, 1, twins),
        ("mobilenet-v1", 1, all_forms),
        (model, 2, twins),
        ("mobilenet-v1", 2, all_forms),
    ]
    for result in written["results"]:
        assert result["rounds"] == 3
        for form, variant in result["variants"].items():
            latency = variant["latency_ms"]
            assert 0 < latency["low"] <= latency["median"] <= latency["high"]
            assert variant["trained"] == (form != "baseline")
            assert len(variant["round_ms"]) == 3
            assert "energy_j" not in variant or variant["energy_j"] >= 0


def test_ratios_are_of_times_in_the_same_round(written):
    for result in written["results"]:
        own = result["variants"]["separable"]["round_ms"]
        for form, ratio in result["ratios"].items():
            other = result["variants"][form]["round_ms"]
            assert ratio["per_round"] == pytest.approx([b / a for a, b in zip(own, other, strict=True)])
            assert ratio["low"] <= ratio["median"] <= ratio["high"]


def test_layers_add_up_and_have_theory_beside_measurement(written):
    result = written["results"][1]
    for form, layers in result["layers"].items():
        assert sum(layer["macs"] for layer in layers) == result["variants"][form]["macs"]
        assert all("ms" in layer for layer in layers)
    assert len(result["pairs"]) == 13
    for pair in result["pairs"]:
        expected = 1 / (1 / pair["outputs"] + 1 / pair["kernel"] ** 2)
        assert pair["predicted"]["baseline"] == pytest.approx(expected)
        assert set(pair["measured"]) == {"standard", "baseline"}


def test_the_twin_is_verified(written):
    assert all(r["verification"]["same_function"] for r in written["results"])
    assert written["results"][0]["verification"]["depthwise_layers"] == 1


def test_the_terminal_gets_the_findings_and_the_files(made, written):
    folder, printed = made
    assert printed[: len(written["findings"])] == [f"* {line}" for line in written["findings"]]
    assert printed[-1] == f"report -> {folder / 'report.json'}, {folder / 'report.html'}"


def test_the_page_is_one_file_that_draws_itself(made):
    page = (made[0] / "report.html").read_text()
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    browser = shutil.which("chromium")
    if browser is not None:
        quiet = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
        command = [browser, *quiet, "--dump-dom", (made[0] / "report.html").as_uri()]
        drawn = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert drawn.count("<svg") == 5  # ratios, rounds, theory, layers, roofline
        assert drawn.count("<table") == 3
        assert "NaN" not in drawn.split('id="data"')[0]


def test_nothing_in_a_report_can_end_the_script_of_its_page(written):
    evil = written | {"command": "</script><!-- <script>"}
    assert "</script><!--" not in report_html.page(evil, None)


def test_a_wrong_twin_is_not_the_same_function(model, tmp_path, monkeypatch, capsys):
    right = conversion.to_standard

    @torch.no_grad()
    def wrong(network):
        twin = right(network)
        if isinstance(network, torch.nn.Module) and hasattr(network, "network"):
            twin.network.depthwise.weight[0, 1, 0, 0] = 1e-3
        return twin

    monkeypatch.setattr(conversion, "to_standard", wrong)
    quick = Subject("one-block", (32, 32), VARIANTS, one_block)  # beside it, in place of the paper's
    monkeypatch.setattr(comparing, "paper_network", lambda: quick)
    words = ("compare", "synthetic:96x64x24", "--model", model, "--input", "32", "--rounds", 1)
    assert sepcam(*words, "--threads", 1, "-o", tmp_path / "out") == 0
    first, *said = capsys.readouterr().out.splitlines()
    assert "computes another function: layer network.depthwise differs" in first
    assert "Its times mean nothing" in first
    assert "* Rounds: 1. With fewer than 5 the intervals mean nothing." in said


def result_with(low, high, **more):
    ratio = {"median": (low + high) / 2, "low": low, "high": high, "per_round": [low, high]}
    latency = {"median": 10.0, "low": 9.0, "high": 11.0, "p95": 12.0}
    variant = {"trained": True, "latency_ms": latency, "fps": 100.0, "round_ms": [10.0]}
    options = {"runtime": "torch", "device": "cpu", "precision": "f32", "threads": 2}
    return {
        "name": "net",
        "kind": "network",
        "options": options,
        "rounds": 5,
        "variants": {"separable": variant, "standard": dict(variant)},
        "ratios": {"standard": ratio},
        **more,
    }


def test_bad_news_comes_first():
    slower, even, faster = result_with(0.5, 0.8), result_with(0.9, 1.2), result_with(2, 3)
    said = findings({"partial": False, "results": [faster, even, slower], "ceilings": []})
    assert "not faster here beyond the noise" in said[0]
    assert "SLOWER here, 0.65 times (95 % interval 0.50 to 0.80) the speed" in said[1]
    assert len(said) == 2


def test_two_reports_side_by_side(written, capsys):
    assert all(c["verdict"] == "within the noise" for c in report.changes(written, written))
    slower = json.loads(json.dumps(written))
    latency = slower["results"][0]["variants"]["separable"]["latency_ms"]
    for name in ("median", "low", "high"):
        latency[name] *= 100
    changed = [c for c in report.changes(written, slower) if c["verdict"] != "within the noise"]
    assert [c["verdict"] for c in changed] == ["worse"]
    assert [c["verdict"] for c in report.changes(slower, written) if c["change"] < -0.9] == ["better"]


def test_two_machines_are_matched_by_name():
    one, other = result_with(2, 3), result_with(4, 5)
    other["options"] = other["options"] | {"threads": 8}
    found = report.changes({"results": [one]}, {"results": [other]})
    assert found[-1]["verdict"] == "better"
    assert "was torch f32, 2 threads" in found[-1]["what"]


def test_written_reports_are_compared_without_measuring(made, capsys):
    path = made[0] / "report.json"
    assert sepcam("compare", path, "--against", path) == 0
    assert "within the noise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--threads", "two"), "--threads two must be numbers"),
        (("--threads", "0"), "threads must be at least 1"),
        (("--input", "big", "--model", "x.py:f"), "--input big must be a number of pixels"),
        (("--model", "vgg"), "cannot be read: write torchvision:NAME"),
        (("--model", "torchvision:vgg11", "--video", "v.mp4"), "--video shows a pipeline"),
        (("--model", "torchvision:resnet18"), "resnet18 has no depthwise convolutions"),
        (("missing.mp4", "--detector", "ssdlite-person"), "missing.mp4 does not exist"),
        (("one.json",), "name another one with --against"),
        (("--against", "missing.json"), "missing.json cannot be read"),
        (("--against", "broken.json"), "broken.json is not JSON"),
        (("--against", "other.json"), "other.json is not a report of sepcam compare"),
        (("--against", "newer.json"), "newer.json was written by a newer Sepcam"),
        (("-o", "taken"), "report.json exists: use --overwrite"),
    ],
)
def test_mistakes_get_one_clear_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "newer.json").write_text(json.dumps({"schema": comparing.SCHEMA, "version": 2}))
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "report.json").write_text("mine")
    assert sepcam("compare", *words) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ")
    assert message in error
    assert (tmp_path / "taken" / "report.json").read_text() == "mine"


# --- the pipeline -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    images = [square_picture(number) for number in range(40)]
    return write_clip(tmp_path_factory.mktemp("clip") / "squares.mp4", images=images, size=(96, 64))


def pipelines():
    return {kind: pipeline_of(backbone=kind) for kind in KINDS}


def test_a_pipeline_is_timed_end_to_end_on_the_same_frames(clip):
    measurement = PipelineMeasurement(pipelines(), str(clip), OPTIONS)
    measurement.time(rounds=3, seconds=1)
    result = measurement.result
    assert result["name"] == "squares + centers"
    assert result["people_per_frame"] == 1
    assert result["difference"] == {
        "same_objects": True,
        "boxes_px": 0.0,
        "keypoints_px": 0.0,
        "mask_iou": 1.0,
    }
    assert result["variants"]["separable"]["fps"] > 0
    seen = [[r.frame.time_s for r in measurement.seen[kind]] for kind in KINDS]
    assert seen[0] == seen[1]
    assert len(seen[0]) == result["frames_per_round"]
    picture = beside(most_crowded(measurement.seen), {kind: kind for kind in KINDS})
    assert picture.shape[1] == 2 * 96 + 6


def test_frames_are_timed_as_they_are_analyzed(clip):
    """Results of files are held back, and then come at once; the analysis takes its time for each."""
    both, took_ms = pipelines(), 20.0
    quick = both["standard"].networks.detector.detect

    def detect(image):
        time.sleep(took_ms / 1e3)
        return quick(image)

    for pipeline in both.values():
        pipeline.networks.detector.detect = detect
    measurement = PipelineMeasurement(both, str(clip), OPTIONS)
    measurement.time(rounds=3, seconds=1)
    for variant in measurement.result["variants"].values():
        assert variant["latency_ms"]["median"] > 0.9 * took_ms


def test_the_video_shows_both_sides_at_their_own_pace(clip, tmp_path):
    both = pipelines()
    slow = both["standard"].networks.detector
    patient = slow.detect

    def detect(image):
        end = os.times().elapsed + 0.05
        while os.times().elapsed < end:
            pass
        return patient(image)

    slow.detect = detect
    path = tmp_path / "race.mp4"
    record(both, str(clip), path, overwrite=False, seconds=0.5)
    with open_source(path) as source:
        frames = list(source)
        assert (source.info.width, source.info.fps) == (198, 30)
    assert 2 <= len(frames) <= 15
    assert [p.name for p in tmp_path.iterdir()] == ["race.mp4"]


def test_ctrl_c_gives_a_partial_report(model, tmp_path):
    """A real interrupt of a real run, once the first network is measured."""
    out = tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        "from sepcam.app.cli import main; main()",
        "compare",
        "synthetic:96x64x24",
    ]
    command += ["--model", model, "--input", "32", "--rounds", "1", "--threads", "1", "-o", str(out)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "mobilenet-v1" in line:
            run.send_signal(signal.SIGINT)
            break
    run.communicate(timeout=120)
    assert run.returncode == 130
    found = report.read(out / "report.json")
    jsonschema.validate(found, SCHEMA)
    assert found["partial"]
    assert found["results"][0]["name"] == model
    assert (out / "report.html").exists()
