"""What several test modules share."""

import http.server
import os
import signal
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch
from sepcam.assets import demo_clip
from torch import nn

from tests.web_server import WebServer, serving

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("sepcam", deadline=None)
hypothesis.settings.load_profile("sepcam")

# A suite that a shell runs in the background ignores Ctrl-C, and so would the programs that it interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32":  # nohup ignores this one
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# Results and the lines that are printed are the same on processors that compute in bf16.
os.environ["SEPCAM_PRECISION"] = "f32"


@pytest.fixture(scope="session")
def shared_weights() -> Path | None:
    """The folder with copies of weights that no package index carries, or None where there is none."""
    folder = Path(__file__).parents[2] / "shared" / "weights"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def published_weights(shared_weights: Path | None) -> Path:
    """The same for tests that mean nothing with random weights: they are skipped without the folder."""
    if shared_weights is None:
        pytest.skip("weights that no package index carries are not at hand: put them into ../shared/weights")
    return shared_weights


@pytest.fixture(scope="session")
def movenet_files(shared_weights: Path | None) -> Path:
    """The folder with Google's files, which is named by SEPCAM_MOVENET where it is elsewhere."""
    folder = os.environ.get("SEPCAM_MOVENET", shared_weights)
    if folder is None or not (Path(folder) / "movenet-lightning.json").is_file():
        pytest.skip("Google's MoveNet files are not at hand: name their folder with SEPCAM_MOVENET")
    return Path(folder)


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own, also for the processes that it starts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEPCAM_CACHE", str(folder))
    return folder


class FileServer:
    """Serves ``files`` (path to content, or to a function that answers) on a free port of this machine."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | Callable[[http.server.BaseHTTPRequestHandler], None]] = {}
        self.requests: list[str] = []
        files, requests = self.files, self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append(self.path)
                answer = files.get(self.path)
                if answer is None:
                    self.send_error(404)
                elif isinstance(answer, bytes):
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "x/y")
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)
                else:
                    answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def file_server() -> Iterator[FileServer]:
    server = FileServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def web_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """``sepcam serve`` with people in its picture, room for one visitor's camera, and small uploads."""
    people = ("--loop", "--detector", "ssdlite-person", "--tasks", "track", "--conf", "0.5")
    limits = ("--max-cameras", "1", "--max-upload", "3", "--idle-timeout", "8")
    folder = str(tmp_path_factory.mktemp("recordings"))
    with serving(str(demo_clip()), *people, *limits, "-o", folder) as server:
        yield server


@pytest.fixture(scope="session")
def onnx_of() -> Callable[[nn.Module], bytes]:
    """Writes a network's convolutions as an ONNX file."""
    return _onnx_of


def _onnx_of(network: nn.Module) -> bytes:
    """An ONNX file with a network's convolutions: ModelProto.graph with nodes and initializers."""
    graph = b""
    for name, layer in network.named_modules():
        if not isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            continue
        kind = "ConvTranspose" if isinstance(layer, nn.ConvTranspose2d) else "Conv"
        group = _field(5, _field(1, b"group") + _field(3, layer.groups))
        inputs = b"".join(_field(1, text.encode()) for text in ("x", f"{name}.weight", f"{name}.bias"))
        graph += _field(1, inputs + _field(3, name.encode()) + _field(4, kind.encode()) + group)
        bias = torch.zeros(layer.out_channels) if layer.bias is None else layer.bias
        graph += _tensor(f"{name}.weight", layer.weight) + _tensor(f"{name}.bias", bias)
    return _field(7, graph)


def _tensor(name: str, values: torch.Tensor) -> bytes:
    dims = b"".join(_field(1, size) for size in values.shape)
    raw = values.detach().contiguous().numpy().tobytes()
    return _field(5, dims + _field(2, 1) + _field(8, name.encode()) + _field(9, raw))


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protocol buffer, as a varint or with its length before it."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += struct.pack("B", value & 127 | 128)
        value >>= 7
    return out + struct.pack("B", value)
