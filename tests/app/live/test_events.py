"""``sepcam live --rule``: events on the disk and at a web hook, and mistakes in one line."""

import json
import subprocess
import sys

import av
import pytest
from sepcam.app import cli
from sepcam.assets import demo_clip

from tests.pipelines.notify.test_webhook import Receiver
from tests.servers import served

CLIP = str(demo_clip())
SEPCAM = [sys.executable, "-c", "from sepcam.app.cli import main; main()"]


@pytest.fixture
def refusal(capsys):
    """The one line in which a command refuses its words."""

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as stopped:
            cli.main(words)
        assert stopped.value.code == 2
        return capsys.readouterr().err.strip()

    return run


def test_people_on_the_film_are_recorded_and_a_hook_gets_them(tmp_path):
    receiver = Receiver(503)
    with served(receiver.handler) as url:
        words = ["live", CLIP, "--headless", "--seconds", "5", "--tasks", "track", "-o", str(tmp_path)]
        zone = ["--zone", "Street:0,0,1,0,1,1,0,1", "--rule", "person in street for 0.5 s"]
        hook = ["--on-event", url.replace("//", "//user:secret@"), "--keep", "7d", "--keep-size", "5GB"]
        done = subprocess.run([*SEPCAM, *words, *zone, *hook], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "secret" not in done.stderr + done.stdout
    (folder,) = (tmp_path / "events").iterdir()
    facts = json.loads((folder / "event.json").read_text())
    assert facts["rule"] == "person in street for 0.5 s" and facts["zone"] == "Street" and facts["ids"]
    with av.open(str(folder / "clip.mp4")) as container:
        frames = [frame.time for frame in container.decode(video=0)]
    assert frames[0] == 0 and 0.5 < facts["seconds"] < 8
    assert f"event: person in street for 0.5 s ({facts['seconds']:.1f} s) -> {folder}" in done.stderr
    sent = [json.loads(body) for code, _, _, body in receiver.got if code == 204]
    assert [message["state"] for message in sent] == ["begin", "end"]
    assert sent[1]["id"] == folder.name and sent[1]["seconds"] == facts["seconds"]


@pytest.mark.parametrize("sources", [[CLIP], [CLIP, CLIP]])
def test_it_ends_when_nobody_reads_the_events_any_more(sources, tmp_path):
    words = ["live", *sources, "--loop", "--headless", "--events", "--tasks", "track", "-o", str(tmp_path)]
    with subprocess.Popen(
        [*SEPCAM, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as one:
        assert one.stdout is not None and one.stderr is not None
        assert json.loads(one.stdout.readline())["kind"] == "enter"
        one.stdout.close()
        assert one.wait(60) == 1
        said = one.stderr.read()
    assert "Traceback" not in said and "rror" not in said, said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rule", "nonsense"], "'nonsense' is not a valid rule: write 'person in ZONE for 3 s'"),
        (
            ["--rule", "person in Yard"],
            "names no zone that is watched (there is no zone): add --zone Yard:...",
        ),
        (["--rule", "at least 1 dog"], "is about 'dog', which is not reported (person): add it to --classes"),
        (["--on-event", "http://x/"], "--on-event needs a rule: add --rule 'person in ZONE for 3 s'"),
        (["--rule", "at least 1 person", "--on-event", "x"], "'x' is not the address of a web hook"),
        (["--rule", "at least 1 person", "--keep", "7"], "'7' is not a valid age: write 7d"),
        (["--rule", "at least 1 person", "--keep-size", "7"], "'7' is not a valid size: write 500MB"),
        (["--rule", "at least 1 person", "--mqtt", "x"], "'x' is not an address for MQTT"),
    ],
)
def test_mistakes_are_said_in_one_line(words, line, refusal, tmp_path):
    said = refusal("live", "synthetic", "--headless", "--record", str(tmp_path / "x.mp4"), *words)
    assert line in said.splitlines()[-1] and said.splitlines()[-1].startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_a_line_says_what_to_install(refusal, monkeypatch):
    monkeypatch.setitem(sys.modules, "paho.mqtt.client", None)
    words = ("live", "synthetic", "--headless", "--rule", "at least 1 person", "--mqtt", "mqtt://host/yard")
    assert refusal(*words) == "error: --mqtt needs paho-mqtt: pip install 'sepcam[mqtt]'"
