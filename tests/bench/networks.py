"""Table 1: each network in each runtime; ms, GMAC/s, and the share of what the machine can do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .rounds import Contender, Result, interleave
from .worker import Worker, WorkerError

_FORMS: dict[str, tuple[str, ...]] = {
    "people": ("separable", "standard"),
    "ssdlite-person": ("separable", "standard"),
    "yolox-nano": ("separable", "standard"),
    "ssd-mobilenet-v1-coco": ("separable", "standard"),
    "blazepose-full": ("separable", "standard"),
    "mobilenet-v1-224": ("separable", "standard", "paper"),
}
_RUNTIMES = (("openvino", "f32"), ("openvino", "bf16"), ("torch", "f32"), ("torch", "bf16"))


@dataclass(frozen=True, slots=True)
class Row:
    """One network in one form and runtime.

    Attributes:
        network: its name in the registry; "" for the matrix product.
        form: separable, standard or paper.
        batch: pictures per call.
        runtime: openvino or torch.
        precision: of the computation.
        macs: multiply-adds per call.
        result: of the rounds.
        share: of the speed of the matrix product in the same runtime and precision; None without it.
    """

    network: str
    form: str
    batch: int
    runtime: str
    precision: str
    macs: int
    result: Result
    share: float | None = None

    @property
    def gmacs(self) -> float:
        """Billions of multiply-adds per second."""
        return self.macs / self.result.ms / 1e6


def measure(
    worker: Worker, threads: int, rounds: int, seed: int, note: Callable[[str], None], *, bf16: bool
) -> list[Row]:
    """Times every network and matrix product in interleaved rounds."""
    rows: list[Row] = []
    for runtime, precision in _RUNTIMES:
        if precision == "bf16" and not bf16:
            continue
        rows.append(_prepare_matmul(worker, runtime, precision, threads))
        for network, form, batch in _cases():
            rows.append(_prepare(worker, network, form, batch, runtime, precision, threads, note))
    ready = [row for row in rows if row.result.error is None]
    contenders = [Contender(row.result.name, _timer(worker, row.result.name)) for row in ready]
    results = interleave(contenders, rounds, seed, note)
    rows = [replace(row, result=results.get(row.result.name, row.result)) for row in rows]
    return [replace(row, share=_share(row, rows)) for row in rows]


def _cases() -> list[tuple[str, str, int]]:
    single = [(network, form, 1) for network, forms in _FORMS.items() for form in forms]
    return [*single, ("blazepose-full", "separable", 4)]


def _timer(worker: Worker, key: str) -> Callable[[], dict[str, object]]:
    return lambda: worker.request("time", key=key)


def _prepare_matmul(worker: Worker, runtime: str, precision: str, threads: int) -> Row:
    key = f"matmul {runtime} {precision}"
    reply = worker.request("matmul", key=key, runtime=runtime, precision=precision, threads=threads)
    return Row("", "", 1, runtime, precision, reply["macs"], Result(key))


def _prepare(
    worker: Worker,
    network: str,
    form: str,
    batch: int,
    runtime: str,
    precision: str,
    threads: int,
    note: Callable[[str], None],
) -> Row:
    key = f"{network} {form} x{batch} {runtime} {precision}"
    options = {"runtime": runtime, "device": "cpu", "precision": precision, "threads": threads}
    result = Result(key)
    macs = 0
    try:
        reply = worker.request("network", key=key, name=network, form=form, options=options, batch=batch)
        macs = reply["macs"]
    except WorkerError as error:
        result.error = str(error)
        note(f"  {key}: {error}")
    return Row(network, form, batch, runtime, precision, macs, result)


def _share(row: Row, rows: Sequence[Row]) -> float | None:
    peak = next(
        (r for r in rows if not r.network and (r.runtime, r.precision) == (row.runtime, row.precision)), None
    )
    if peak is None or not row.result.samples or not peak.result.samples:
        return None
    return row.gmacs / peak.gmacs
