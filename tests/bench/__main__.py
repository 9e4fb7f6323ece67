"""``python -m tests.bench``: one command, one run, every table."""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sepcam.assets import demo_clip
from sepcam.models.cache import cache_root, make_folder
from sepcam.models.errors import SepcamError
from sepcam.models.runtime.compile import resolve
from sepcam.models.runtime.options import RuntimeOptions

from . import clips, end_to_end, glass, latency, machine, memory, networks, peers, report
from .end_to_end import Plan, Sepcam, Workers
from .worker import Worker, WorkerError

_TABLES = ("networks", "clips", "drawing", "latency", "glass")
_LONG = "memory"  # takes half an hour, so it has to be asked for
_PETS = Path(__file__).parents[3] / "shared" / "data" / "pets09-s2l1" / "vtest.avi"


def main() -> int:
    """Runs the bench; the exit status is 1 where Sepcam itself failed somewhere."""
    args = _arguments()
    # Ended from outside, it still ends its processes and writes what it has.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    plan = (
        Plan(frames=36, slow_frames=6, rounds=2, threads=args.threads, seed=args.seed)
        if args.quick
        else Plan(
            frames=60,
            slow_frames=12,
            rounds=3,
            threads=args.threads,
            seed=args.seed,
            precisions=_precisions(args.precision),
        )
    )
    figures = report.Figures(machine.describe(), _settings(args, plan))
    args.out.mkdir(parents=True, exist_ok=True)
    cache = make_folder(cache_root() / "bench")
    try:
        with TemporaryDirectory(prefix="sepcam-bench-") as scratch:
            _measure(figures, args, plan, cache, Path(scratch))
    finally:
        text = report.markdown(figures)
        (args.out / "bench.md").write_text(text, encoding="utf-8")
        (args.out / "bench.json").write_text(json.dumps(report.as_dict(figures), indent=1), encoding="utf-8")
    print(text)
    _note(f"written to {args.out / 'bench.md'} and {args.out / 'bench.json'}")
    return int(_failed(figures))


def _measure(
    figures: report.Figures, args: argparse.Namespace, plan: Plan, cache: Path, scratch: Path
) -> None:
    cuts = clips.cuts(demo_clip(), args.pets)
    files = {cut.name: clips.make(cut, max(plan.frames, 120), cache) for cut in cuts}
    figures.notes += [f"Clip *{cut.name}*, 1280x720: {cut.what}." for cut in cuts]
    if "networks" in args.tables:
        _note("networks")
        with Worker("network_timing", args.out / "networks.log", plan.threads) as worker:
            figures.networks = networks.measure(
                worker, plan.threads, plan.rounds, plan.seed, _note, bf16=_computes_in_bf16()
            )
    if "glass" in args.tables:
        _glass(figures, args, plan)
    if not {"clips", "drawing", "latency", _LONG} & set(args.tables):
        return
    with ExitStack() as stack:
        worker = stack.enter_context(Worker("sepcam_run", args.out / "sepcam.log", plan.threads))
        sepcam = Sepcam(worker, args.detector, args.precision, plan, scratch)
        sepcam.key(files["street"], end_to_end.Setup())
        figures.settings["detector"] = sepcam.detector
        if "clips" in args.tables:
            workers = _start(stack, figures, args, plan, cache, worker, scratch)
            for name, file in files.items():
                if name == clips.CROWD:
                    continue
                _note(f"end to end: {name}")
                every = name == "street"
                figures.clips[name] = end_to_end.measure(file, sepcam, workers, plan, _note, every=every)
        if "drawing" in args.tables:
            _note("drawing")
            figures.drawing = end_to_end.drawing(files["street"], sepcam, worker, plan, _note)
        if "latency" in args.tables:
            _note("latency")
            figures.paced = latency.measure(files, sepcam, worker, plan, _note)
            log = args.out / "first-frame.log"
            figures.first = latency.first_frame(files["street"], sepcam, plan, log, _note)
    if _LONG in args.tables:
        _note("memory")
        log = args.out / "memory.log"
        figures.memory = memory.measure(demo_clip(), sepcam, plan.threads, log, scratch)


def _glass(figures: report.Figures, args: argparse.Namespace, plan: Plan) -> None:
    _note("glass to glass")
    if missing := glass.missing():
        figures.notes.append(f"Not measured: glass to glass, which needs {', '.join(missing)}.")
        return
    words = ("--detector", args.detector, "--precision", args.precision, "--threads", str(plan.threads))
    seconds = plan.frames / glass.RATE * 4
    log = args.out / "glass.log"
    figures.glass = glass.measure(demo_clip(), words, log, seconds, plan.rounds, plan.seed, _note)


def _start(
    stack: ExitStack,
    figures: report.Figures,
    args: argparse.Namespace,
    plan: Plan,
    cache: Path,
    sepcam: Worker,
    scratch: Path,
) -> Workers:
    """Starts the floor and the peers; one that cannot start is named in the notes."""
    folder = make_folder(cache / "ultralytics")

    def start_mediapipe() -> Worker:
        python = peers.mediapipe_python(cache, _note)
        return Worker("mediapipe_pose", args.out / "mediapipe.log", plan.threads, python=python)

    def start_ultralytics() -> Worker:
        environment = peers.yolo_environment(folder)
        return Worker("ultralytics_yolo", args.out / "ultralytics.log", plan.threads, env=environment)

    def peer(start: Callable[[], Worker], remark: str) -> Worker | None:
        try:
            worker = stack.enter_context(start())
            versions = worker.request("about")
        except WorkerError as error:
            figures.notes.append(f"Not measured: {error}.")
            return None
        named = ", ".join(f"{name} {version}" for name, version in versions.items())
        figures.notes.append(f"{remark} ({named})")
        return worker

    return Workers(
        sepcam=sepcam,
        floor=stack.enter_context(Worker("floor", args.out / "floor.log", plan.threads)),
        mediapipe=None if args.no_peers else peer(start_mediapipe, _MEDIAPIPE_REMARK),
        ultralytics=None if args.no_peers else peer(start_ultralytics, _YOLO_REMARK),
        nncf=partial(peers.nncf_python, cache, _note),
        scratch=scratch,
    )


_MEDIAPIPE_REMARK = (
    "MediaPipe Pose is its own solution with model_complexity=1 and smoothed segmentation, for one person, "
    "in f32; its threads cannot be set from Python."
)
_YOLO_REMARK = (
    "Ultralytics runs yolo11n-pose with its ByteTrack, then yolo11n-seg, with all threads, in f32 "
    f"where nothing else is named; its int8 is made by NNCF {peers.NNCF} as its own export does. Random "
    "weights, where it has no others, find nothing: NMS, mask assembly and tracking then cost it next to "
    "nothing, in its favor. Its inputs have the picture's own aspect ratio, which its exports do not "
    "take by themselves."
)


def _precisions(chosen: str) -> tuple[str, ...]:
    """Those beside the chosen one that this processor computes in."""
    possible = ("f32", "bf16", "int8") if _computes_in_bf16() else ("f32", "int8")
    return tuple(one for one in possible if one != chosen and one != "f32")


def _computes_in_bf16() -> bool:
    try:
        resolve(RuntimeOptions("openvino", "cpu", "bf16"))
    except SepcamError:
        return False
    return True


def _settings(args: argparse.Namespace, plan: Plan) -> dict[str, object]:
    return {
        "threads": plan.threads,
        "precision end to end": args.precision,
        "rounds": f"{plan.rounds}, interleaved in random order (seed {plan.seed})",
        "frames a round": f"{plan.frames}, {plan.slow_frames} for standard and torch",
    }


def _failed(figures: report.Figures) -> bool:
    results = [result for table in figures.clips.values() for result in table.values()]
    own = [result for result in results if result.name.startswith(("separable", "standard", "floor"))]
    first = [figures.first] if figures.first is not None else []
    return any(result.error for result in [*own, *figures.paced.values(), *first])


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few frames and 2 rounds: does it work at all?"
    )
    parser.add_argument(
        "--tables", nargs="+", choices=(*_TABLES, _LONG), default=_TABLES, help="default: all but memory"
    )
    parser.add_argument("--threads", type=int, default=machine.cores(), help="of every contender")
    parser.add_argument(
        "--precision", choices=("f32", "bf16", "int8"), default="f32", help="of Sepcam's networks"
    )
    parser.add_argument("--detector", default="auto")
    parser.add_argument("--no-peers", action="store_true", help="leave MediaPipe and Ultralytics out")
    parser.add_argument("--pets", type=Path, default=_PETS, help="the PETS09-S2L1 video; left out if missing")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the contenders")
    parser.add_argument("--out", type=Path, default=Path("sepcam-bench"), help="folder of the report")
    return parser.parse_args()


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
