"""A training from its labels to a network file that measures better than the one it began with."""

import shlex
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...models.errors import SepcamError
from ...models.registry import find
from ...models.trained import save_trained
from ...models.training.samples import digest
from ...models.weights.store import WeightStore
from ..terminal import console
from ..terminal.signals import deferred, terminable
from . import report, scoring
from .card import card_of
from .check import show_labels, tell_parts
from .checkpoint import Checkpoint, Log
from .choice import PARTS, choose
from .dataset import Parts, load_image, read_parts
from .measure import Measure
from .request import CANDIDATE_NAME, NETWORK_NAME, REPORT_NAME, Started, TrainRequest, clear, load, save

if TYPE_CHECKING:
    from ...models.networks.people import People
    from ...models.training.trainer import Trainer
    from .choice import Weights

_LOOKS: Final = 4  # evaluations while the network learns, at most, the last one at the end
_LEAST_STEPS: Final = 5  # between two of them
_TELL_S: Final = 30.0  # between two lines about the progress where there is no terminal


@dataclass(frozen=True, slots=True)
class Place:
    """Where and how a training runs, which its result does not depend on.

    Attributes:
        folder: where its files go.
        device: ``cpu`` or ``cuda``.
        threads: that compute; None is one for each core.
        command: the command line, for the record.
    """

    folder: Path
    device: str
    threads: int | None
    command: str


def run(ask: TrainRequest, place: Place, *, resume: bool) -> bool:
    """Trains, measures, and writes the network if it is better.

    Args:
        ask: what to train, and how.
        place: where. What an earlier training has left in the folder is replaced as soon as everything that
            is needed has been read.
        resume: continue from what an earlier call has saved in the folder.

    Returns:
        Whether the network is better.

    Raises:
        SepcamError: If something cannot be read, run or written.
        KeyboardInterrupt: If it was interrupted; its state is saved.
    """
    begun = resume
    try:
        with terminable():
            store = WeightStore(notice=console.note)
            network = _network(ask.init, store)
            used = read_parts(ask)
            data = tuple(map(digest, (*used.training, *used.checking)))
            started = Started(ask, ask.recipe(len(used.training)), data, store.digest(ask.init))
            if resume:
                started = _unchanged(place.folder, started)
            else:
                clear(place.folder)
                save(started, place.folder)
            begun = True
            show_labels(used.labeled, place.folder)
            tell_parts(used)
            return _continue(network, used, started, place)
    except KeyboardInterrupt:
        command = shlex.join(["sepcam", "train", "--resume", "-o", str(place.folder)])
        console.note(f"to continue: {command}" if begun else "stopped before the training began")
        raise


def _continue(network: "People", used: Parts, started: Started, place: Place) -> bool:
    """What `run` does once the training is saved in its folder, from its last state on."""
    start = {name: value.clone() for name, value in network.state_dict().items()}
    saved = Checkpoint(place.folder)
    state = saved.load()
    with (
        closing(Log(place.folder, 0 if state is None else state["step"])) as log,
        _trainer(network, used, started, place) as trainer,
    ):
        measure = Measure(used.checking, used.checked_in.truth(used.checking), log, place.device)
        if state is not None:
            trainer.restore(state)
            console.note(f"resumed after step {trainer.step} of {started.recipe.steps}")
        try:
            if not measure("before", started.request.init, 0):
                raise SepcamError(
                    "nobody is labeled in the images to measure on: hold out more with --held-out"
                )
            _learn(trainer, started, saved, measure, place.folder)
            return _finish(start, trainer.weights(), started, used, measure, place)
        except KeyboardInterrupt:
            saved.save(trainer.state())
            console.note(f"stopped after step {trainer.step}")
            raise


def _trainer(network: "People", used: Parts, started: Started, place: Place) -> "Trainer":
    import torch

    from ...models.training.examples import Examples
    from ...models.training.trainer import Trainer

    if place.threads is not None:
        torch.set_num_threads(place.threads)
    threads = torch.get_num_threads()
    # Beside a GPU, all cores make examples.
    workers = threads if place.device == "cuda" else max(threads // 2, 1)
    examples = Examples(used.training, load_image, started.recipe.seed)
    return Trainer(network, examples, started.recipe, device=place.device, workers=workers)


def _finish(
    start: "Weights", trained: "Weights", started: Started, used: Parts, measure: Measure, place: Place
) -> bool:
    """Chooses what is kept, and writes it and the report; returns whether anything is."""
    ask, folder, steps = started.request, place.folder, started.recipe.steps
    candidate = folder / CANDIDATE_NAME
    before, after = measure.known(0), measure.known(steps)

    def mixed(weights: "Weights", learned: tuple[str, ...]) -> scoring.Figures:
        save_trained(candidate, weights, {"network": ask.network})
        title = f"only the {' and '.join(learned)} heads trained"
        return measure(title, str(candidate), steps, learned)

    if started.recipe.learn == "heads":
        weights, final, learned = choose(start, trained, before, after, mixed)
    else:
        learned = tuple(PARTS) if scoring.better(before, after) else ()
        weights, final = (trained, after) if learned else (start, before)
    card = card_of(started, used, before, final, after, learned, place.command)
    save_trained(candidate, weights if learned else trained, card)
    shown = measure.shown([ask.init, str(candidate)])
    page = report.page(card, measure.log.rows, shown)
    if learned:
        candidate.replace(folder / NETWORK_NAME)
    else:
        candidate.unlink()
        (folder / NETWORK_NAME).unlink(missing_ok=True)
    report.write(folder, page)
    _tell(folder, before, final if learned else after, learned)
    return bool(learned)


def _network(name: str, store: WeightStore) -> "People":
    """The network to begin with.

    Raises:
        SepcamError: If it is none that can be trained.
    """
    from ...models.networks.people import People

    network = find(name, store.registry).build()
    if not isinstance(network, People):
        raise SepcamError(f"{name} cannot be trained: --init takes people, or a file that train has written")
    with console.downloads() as progress:
        network.load_state_dict(store.load(name, progress))
    return network


def _unchanged(folder: Path, now: Started) -> Started:
    """The training as it was started.

    Raises:
        SepcamError: If it would not be the same now.
    """
    known = load(folder)
    for was, new in zip_longest(known.data, now.data):
        if was == new:
            continue
        if was is None or new is None or was.name != new.name:
            what = "the list of images has changed"
        elif was.image != new.image:
            what = f"the image {new.name} has changed"
        else:
            what = f"the labels of {new.name} have changed"
        raise SepcamError(f"{what} since {folder} was started: change it back, or start another training")
    if known.start != now.start:
        raise SepcamError(f"the network that {folder} began with has changed: start another training")
    return known


def _learn(trainer: "Trainer", started: Started, saved: Checkpoint, measure: Measure, folder: Path) -> None:
    """Every step that is left, with evaluations in between."""
    steps = started.recipe.steps
    count = min(max(steps // _LEAST_STEPS, 1), _LOOKS)
    for stop in [round(steps * number / count) for number in range(1, count + 1)]:
        if trainer.step < stop:
            _steps(trainer, stop, steps, saved, measure.log)
            saved.save(trainer.state())
        if trainer.step == stop and not measure.known(stop):
            candidate = folder / CANDIDATE_NAME
            save_trained(candidate, trainer.weights(), {"network": started.request.network})
            measure(f"after step {stop}", str(candidate), stop)


def _steps(trainer: "Trainer", stop: int, steps: int, saved: Checkpoint, log: Log) -> None:
    """Every step up to ``stop`` of ``steps``."""
    begun, first, told = time.monotonic(), trainer.step, time.monotonic()
    with console.progress("training", steps) as advance:
        advance(first)
        while trainer.step < stop:
            with deferred():  # only what lies between two steps can be continued
                parts = trainer.advance()
                log.add(step=trainer.step, **{name: round(value, 5) for name, value in parts.items()})
            text = f"loss {parts['loss']:.3f}"
            advance(trainer.step, text)
            if saved.due():
                saved.save(trainer.state())
            if not sys.stderr.isatty() and time.monotonic() - told >= _TELL_S:
                told = time.monotonic()
                left = (told - begun) / (trainer.step - first) * (steps - trainer.step)
                console.note(f"step {trainer.step} of {steps}, {text}, {left / 60:.1f} min left")


def _tell(folder: Path, before: scoring.Figures, after: scoring.Figures, learned: tuple[str, ...]) -> None:
    change = ", ".join(
        f"{scoring.KINDS[kind]} {100 * before[kind]:.1f} -> {100 * after.get(kind, 0):.1f} "
        f"({100 * (after.get(kind, 0) - before[kind]):+.1f})"
        for kind in before
    )
    console.say(f"on the images not trained on: {change}")
    if learned:
        parts = "" if learned == tuple(PARTS) else f" ({' and '.join(learned)} heads alone, which are better)"
        console.say(f"kept{parts}: use it with --detector {folder / NETWORK_NAME}")
    else:
        console.say("not kept: it measures no better than the network that it began as")
    console.say(f"report -> {folder / REPORT_NAME}")
