"""The process that reads damaged files: a path a line on stdin, what became of it a line on stdout."""

import json
import sys
import traceback
from pathlib import Path

import av
from sepcam.app.process.single import FileRequest, run_single
from sepcam.models.errors import SepcamError
from sepcam.pipelines.batch.files.inputs import find_inputs

from tests.walkers import pipeline_of

_MOST_FRAMES = 200


def main() -> None:
    """Serves until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    pipeline = pipeline_of(tasks=("track",))
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        print(json.dumps(_judge(path, pipeline)), file=answers, flush=True)


def _judge(path: Path, pipeline) -> dict[str, str]:
    out = path.with_name(f"{path.name}-out")
    try:
        found = find_inputs([str(path)])
        if found.missing:
            return {"end": "refused", "why": found.missing[0]}
        saves = ("video", "jsonl") if found.inputs[0].images else ("video", "jsonl", "mot")
        run_single(found.inputs[0], FileRequest(out, saves, frames=_MOST_FRAMES), lambda: pipeline)
    except SepcamError as error:
        left = [one.name for one in out.rglob("*")] if out.exists() else []
        if left:
            return {"end": "fault", "why": f"left {left} after: {error}"}
        if "\n" in str(error):
            return {"end": "fault", "why": f"more than a line: {error}"}
        return {"end": "refused", "why": str(error)}
    except BaseException:
        return {"end": "fault", "why": traceback.format_exc()}
    return _check(out)


def _check(out: Path) -> dict[str, str]:
    """Whether the results are whole and tell the same."""
    hidden = [one.name for one in out.rglob(".*")]
    if hidden:
        return {"end": "fault", "why": f"left {hidden}"}
    (records,) = out.glob("*.jsonl")
    header, *frames, summary = map(json.loads, records.read_text(encoding="utf-8").splitlines())
    if (header["type"], summary["type"], summary["frames"]) != ("header", "summary", len(frames)):
        return {"end": "fault", "why": f"{records.name} is not whole"}
    for video in out.glob("*.mp4"):
        with av.open(str(video)) as container:
            shown = sum(1 for _ in container.decode(video=0))
        if shown != len(frames):
            return {
                "end": "fault",
                "why": f"{video.name} shows {shown} frames, its records have {len(frames)}",
            }
    return {"end": "done", "why": f"{len(frames)} frames"}


if __name__ == "__main__":
    main()
