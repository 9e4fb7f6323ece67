"""The weight store: what is fetched, checked, kept, and said when it can't be."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import textwrap
import threading
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import torch
from sepcam.models.cache import make_folder, sha256_of
from sepcam.models.errors import SepcamError
from sepcam.models.networks.movenet import lightning
from sepcam.models.registry import REGISTRY
from sepcam.models.sources import Companion, NpmSource, UrlSource, WheelSource
from sepcam.models.spec import ModelSpec
from sepcam.models.weights.store import WeightStore
from torch import nn

from tests.models.weights.graph_model import write_movenet


class Toy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 3, groups=3)
        self.second = nn.Conv2d(3, 4, 1)


class Shop:
    """A store of one toy network, the server that its file comes from, and what it said."""

    def __init__(self, server, root: Path, onnx_of: Callable[[nn.Module], bytes]) -> None:
        self.server, self.root = server, root
        self.notices: list[str] = []
        self.network = Toy()
        self.content = onnx_of(self.network)
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.url = f"{server.url}/toy.onnx"
        server.files["/toy.onnx"] = self.content
        self.info = replace(
            REGISTRY["yolox-nano"],
            name="toy",
            sources=(UrlSource(self.url, sha256=self.sha256),),
            sha256=self.sha256,
            build=Toy,
        )

    @property
    def store(self) -> WeightStore:
        return self.store_of(self.info)

    def store_of(self, info: ModelSpec) -> WeightStore:
        return WeightStore(self.root, registry={"toy": info}, notice=self.notices.append)

    def with_sources(self, *sources: UrlSource | WheelSource) -> WeightStore:
        return self.store_of(replace(self.info, sources=sources))

    def check(self, weights: dict[str, torch.Tensor]) -> None:
        loaded = Toy()
        loaded.load_state_dict(weights)
        for ours, theirs in zip(loaded.parameters(), self.network.parameters(), strict=True):
            assert torch.equal(ours, theirs)

    def files(self) -> list[str]:
        return sorted(path.name for path in (self.root / "weights").iterdir())


@pytest.fixture
def shop(file_server, cache_dir: Path, onnx_of) -> Shop:
    return Shop(file_server, cache_dir, onnx_of)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


# --- fetching ---------------------------------------------------------------------------------------------


def test_the_first_load_fetches_and_the_second_asks_nobody(shop: Shop):
    assert not shop.store.is_cached("toy")
    assert shop.store.verify("toy") == "missing"
    shop.check(shop.store.load("toy"))
    shop.check(shop.store.load("toy"))
    assert shop.server.requests == ["/toy.onnx"]
    assert shop.store.is_cached("toy")
    assert shop.store.verify("toy") == "ok"
    assert shop.store.origin("toy") == shop.url
    assert shop.files() == ["toy.lock", "toy.safetensors"]
    assert shop.notices == []


def test_progress_ends_with_all_the_bytes_there_are(shop: Shop):
    heard = []
    shop.store.fetch("toy", progress=lambda *about: heard.append(about))
    assert heard[-1] == ("toy", len(shop.content), len(shop.content))


def test_the_digest_names_the_weights(shop: Shop, onnx_of):
    digest = shop.store.digest("toy")
    assert digest == shop.store.digest("toy")
    other = shop.root.parent / "other.onnx"
    other.write_bytes(onnx_of(Toy()))
    shop.store.fetch("toy", other)
    assert shop.store.digest("toy") != digest


def test_a_file_inside_an_archive_is_taken_out(shop: Shop):
    archive = shop.root.parent / "a.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("inside/toy.onnx", shop.content)
    shop.server.files["/a.zip"] = archive.read_bytes()
    shop.check(shop.with_sources(UrlSource(f"{shop.server.url}/a.zip", member="inside/toy.onnx")).load("toy"))


def test_the_next_source_is_tried_when_one_fails(shop: Shop):
    store = shop.with_sources(UrlSource(f"{shop.server.url}/gone"), *shop.info.sources)
    shop.check(store.load("toy"))
    assert shop.server.requests == ["/gone", "/toy.onnx"]
    assert store.refusal("toy") is None


@pytest.fixture
def own_index(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> WheelSource:
    """A package index on this machine with one wheel, which pip is told to use by the user's environment."""
    wheel = shop.root.parent / "toy_weights-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        opened.writestr("toy_weights/toy.onnx", shop.content)
        about = "toy_weights-1.0.dist-info"
        opened.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.0\n")
        opened.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        opened.writestr(f"{about}/RECORD", "")
    shop.server.files[f"/{wheel.name}"] = wheel.read_bytes()
    shop.server.files["/simple/toy-weights/"] = f'<a href="/{wheel.name}">{wheel.name}</a>'.encode()
    for variable in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("PIP_INDEX_URL", f"{shop.server.url}/simple/")
    return WheelSource(
        requirement="toy-weights==1.0",
        tags=REGISTRY["ssdlite-person"].sources[0].tags,
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size=wheel.stat().st_size,
        member="toy_weights/toy.onnx",
    )


def test_a_wheel_comes_from_the_index_that_the_user_told_pip_of(shop: Shop, own_index: WheelSource):
    heard = []
    shop.check(shop.with_sources(own_index).load("toy", lambda *about: heard.append(about)))
    assert heard[-1] == ("toy", own_index.size, own_index.size)
    assert shop.files() == ["toy.lock", "toy.safetensors"]


def test_a_wheel_with_another_hash_is_refused(shop: Shop, own_index: WheelSource):
    with pytest.raises(SepcamError, match=r"PyPI toy-weights==1\.0: has sha256 .*, expected 000"):
        shop.with_sources(replace(own_index, sha256="0" * 64)).fetch("toy")


def test_a_package_that_the_index_lacks_is_said_in_pips_words(shop: Shop, own_index: WheelSource):
    with pytest.raises(SepcamError, match="No matching distribution found for toy-weights==2"):
        shop.with_sources(replace(own_index, requirement="toy-weights==2.0")).fetch("toy")


# --- when it fails ----------------------------------------------------------------------------------------


def cut(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"x" * 10)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "answers 404"),
        (b"something else", "has sha256 .*, expected"),
        (cut, "was cut after 10 of 1,000 bytes"),
    ],
    ids=["missing", "another file", "cut"],
)
def test_a_failed_download_says_what_was_tried_why_it_failed_and_what_to_do(shop: Shop, answer, reason: str):
    shop.server.files["/toy.onnx"] = answer
    with pytest.raises(SepcamError, match=reason) as raised:
        shop.store.load("toy")
    text = str(raised.value)
    assert shop.url in text
    assert "sepcam models fetch toy --file PATH" in text
    assert "\n" not in text
    assert not shop.store.is_cached("toy")
    assert shop.files() == ["toy.lock", "toy.refused"]


def test_an_address_that_refuses_is_remembered_until_a_fetch_works(shop: Shop):
    store = shop.with_sources(UrlSource(f"http://127.0.0.1:{free_port()}/toy.onnx"))
    assert store.refusal("toy") is None
    with pytest.raises(SepcamError, match="refused"):
        store.fetch("toy")
    assert "refused" in (store.refusal("toy") or "")
    shop.store.fetch("toy")
    assert store.refusal("toy") is None


def test_a_refusal_is_forgotten_after_a_day(shop: Shop):
    store = shop.with_sources(UrlSource(f"{shop.server.url}/gone"))
    with pytest.raises(SepcamError):
        store.fetch("toy")
    marker = shop.root / "weights" / "toy.refused"
    for hours, remembered in ((23, True), (25, False)):
        then = time.time() - hours * 3600
        os.utime(marker, (then, then))
        assert (store.refusal("toy") is not None) is remembered


def test_a_server_that_never_answers_costs_seconds(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sepcam.models.weights.download._ANSWER_S", 0.2)
    enough = threading.Event()
    shop.server.files["/toy.onnx"] = lambda handler: enough.wait(60) and None
    with pytest.raises(SepcamError, match="no answer within"):
        shop.store.fetch("toy")
    enough.set()


def test_an_answer_that_comes_too_late_is_hung_up_on(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sepcam.models.weights.download._ANSWER_S", 0.2)
    given_up, hung_up = threading.Event(), threading.Event()

    def late(handler):
        given_up.wait(60)
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.connection.settimeout(20)
        try:
            if handler.connection.recv(1) == b"":
                hung_up.set()
        except ConnectionError:
            hung_up.set()

    shop.server.files["/toy.onnx"] = late
    with pytest.raises(SepcamError, match="no answer within"):
        shop.store.fetch("toy")
    given_up.set()
    assert hung_up.wait(30)


def test_an_unknown_name_lists_the_known_ones(shop: Shop):
    with pytest.raises(SepcamError, match="unknown model 'resnet': choose from toy"):
        shop.store.load("resnet")


def test_a_cache_folder_that_cannot_be_made_is_one_clear_line(shop: Shop):
    shop.root.write_text("in the way")
    with pytest.raises(SepcamError, match="cannot create the folder"):
        shop.store.load("toy")


# --- what is kept -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [4, 100, -5], ids=["header's length", "header", "values"])
def test_damaged_weights_are_fetched_again_with_a_notice(shop: Shop, place: int):
    path = shop.store.fetch("toy")
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)
    assert shop.store.verify("toy") == "damaged"
    shop.check(shop.store.load("toy"))
    assert shop.server.requests == ["/toy.onnx"] * 2
    assert shop.notices == ["toy: the cached weights are damaged and are fetched again"]


def test_fetching_what_is_there_asks_nobody(shop: Shop):
    assert shop.store.fetch("toy") == shop.store.fetch("toy") == shop.store.path("toy")
    assert shop.server.requests == ["/toy.onnx"]


def test_what_is_there_needs_no_folder_that_can_be_written_to(shop: Shop):
    path = shop.store.fetch("toy")
    lock = shop.root / "weights" / "toy.lock"
    lock.unlink()
    lock.mkdir()  # refuses whoever wants to write
    assert shop.store.fetch("toy") == path
    with pytest.raises(SepcamError, match=r"cannot write in .*; SEPCAM_CACHE names another place"):
        shop.store.read("toy", path)


def test_weights_under_another_network_s_name_are_damaged(shop: Shop):
    path = shop.store.fetch("toy")
    registry = {"toy": shop.info, "twin": replace(shop.info, name="twin")}
    store = WeightStore(shop.root, registry=registry, notice=shop.notices.append)
    shutil.copy(path, path.with_stem("twin"))
    assert [store.verify(name) for name in registry] == ["ok", "damaged"]


def test_what_a_killed_download_left_is_cleared(shop: Shop):
    left = shop.root / "weights" / ".toy.download"
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"x")
    shop.store.fetch("toy")
    assert not left.exists()


def test_two_processes_fetch_a_network_once(shop: Shop, onnx_of):
    content = onnx_of(REGISTRY["yolox-nano"].build())
    second_waits = threading.Event()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        second_waits.wait(60)
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(content)

    shop.server.files["/y.onnx"] = answer
    script = """
        import sys
        from dataclasses import replace
        from sepcam.models.registry import REGISTRY
        from sepcam.models.sources import UrlSource
        from sepcam.models.weights.store import WeightStore
        url, sha256 = sys.argv[1:]
        info = replace(REGISTRY["yolox-nano"], sources=(UrlSource(url, sha256),), sha256=sha256)
        store = WeightStore(registry={"yolox-nano": info}, notice=lambda text: print(text, flush=True))
        store.load("yolox-nano")
        print("loaded", flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), f"{shop.server.url}/y.onnx"]
    command.append(hashlib.sha256(content).hexdigest())
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = []

    def listen(process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            lines.append(line.strip())
            if "waiting" in line:
                second_waits.set()

    threads = [threading.Thread(target=listen, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread, process in zip(threads, processes, strict=True):
        thread.join()
        assert process.wait() == 0
        process.stdout.close()
    assert sorted(lines) == ["loaded", "loaded", "yolox-nano: another process is fetching it; waiting"]
    assert shop.server.requests == ["/y.onnx"]


# --- files that the user gives ----------------------------------------------------------------------------


def test_the_official_file_is_taken_without_a_word(shop: Shop, tmp_path: Path):
    file = tmp_path / "toy.onnx"
    file.write_bytes(shop.content)
    shop.store.fetch("toy", file)
    shop.check(shop.store.load("toy"))
    assert shop.notices == []
    assert shop.server.requests == []
    assert shop.store.origin("toy") == str(file)


def test_another_file_that_fits_is_taken_with_a_notice(shop: Shop, tmp_path: Path):
    file = tmp_path / "mine.onnx"
    file.write_bytes(shop.content + b"\x10\x01")
    shop.check(shop.store.read("toy", file))
    assert not shop.store.is_cached("toy")
    shop.store.fetch("toy", file)
    assert shop.notices == [f"toy: {file} is not the official file, but its convolutions fit; using it"] * 2


def test_a_file_replaces_what_is_cached(shop: Shop, tmp_path: Path, onnx_of):
    shop.store.fetch("toy")
    shop.network = Toy()
    file = tmp_path / "mine.onnx"
    file.write_bytes(onnx_of(shop.network))
    shop.store.fetch("toy", file)
    shop.check(shop.store.load("toy"))


def test_the_archive_around_the_file_is_taken_too(shop: Shop, tmp_path: Path):
    archive = tmp_path / "toy.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("inside/toy.onnx", shop.content)
    shop.check(
        shop.with_sources(UrlSource("http://127.0.0.1/", member="inside/toy.onnx")).read("toy", archive)
    )


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"PK\x03\x04..."], ids=["empty", "text", "half an archive"]
)
def test_a_file_that_does_not_fit_is_refused_and_the_cache_stays(shop: Shop, tmp_path: Path, content: bytes):
    shop.store.fetch("toy")
    file = tmp_path / "wrong"
    file.write_bytes(content)
    with pytest.raises(SepcamError, match="does not hold the weights of toy"):
        shop.store.fetch("toy", file)
    shop.check(shop.store.load("toy"))


@pytest.mark.parametrize(
    ("member", "damage", "why"),
    [
        ("inside/toy.onnx", b"\xff" * 40, "is a damaged archive"),
        ("toy.onnx", b"", r"has no inside/toy\.onnx inside"),
    ],
    ids=["damaged", "another"],
)
def test_an_archive_that_does_not_give_the_file_is_refused(shop: Shop, tmp_path, member, damage, why):
    archive = tmp_path / "toy.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(member, shop.content)
    content = bytearray(archive.read_bytes())
    content[60 : 60 + len(damage)] = damage
    archive.write_bytes(content)
    with pytest.raises(SepcamError, match=f"does not hold the weights of toy: {why}"):
        shop.with_sources(UrlSource("http://127.0.0.1/", member="inside/toy.onnx")).fetch("toy", archive)


def test_what_a_reader_stumbles_over_is_refused(shop: Shop, tmp_path: Path, onnx_of):
    network = Toy()
    network.first.weight = nn.Parameter(torch.ones(27))  # without the axes that a convolution has
    file = tmp_path / "odd.onnx"
    file.write_bytes(onnx_of(network))
    with pytest.raises(SepcamError, match="damaged, or not in the format onnx"):
        shop.store.fetch("toy", file)


def test_a_file_of_another_network_is_refused(shop: Shop, tmp_path: Path, onnx_of):
    file = tmp_path / "other.onnx"
    file.write_bytes(onnx_of(nn.Conv2d(3, 3, 3)))
    with pytest.raises(SepcamError, match="convolutions"):
        shop.store.fetch("toy", file)


def test_a_file_that_is_not_there_is_said(shop: Shop, tmp_path: Path):
    with pytest.raises(SepcamError, match="does not exist"):
        shop.store.fetch("toy", tmp_path / "nowhere.onnx")


# --- networks of several files ----------------------------------------------------------------------------


class Package:
    """An npm package with MoveNet lightning, random weights, on a server, as an archive and as a folder."""

    def __init__(self, server, root: Path) -> None:
        torch.manual_seed(0)
        self.network = lightning()
        self.folder = root / "package"
        path = write_movenet(self.network, make_folder(self.folder / "models"))
        self.weights = path.with_name("m0.bin")
        self.archive = root / "models-1.0.0.tgz"
        with tarfile.open(self.archive, "w:gz") as opened:
            opened.add(self.folder, "package")
        for file in (path, self.weights):
            server.files[f"/models/{file.name}"] = file.read_bytes()
        beside = (Companion("m0.bin", sha256_of(self.weights)),)
        self.info = replace(
            REGISTRY["movenet-lightning"],
            name="toy",
            sources=(
                UrlSource(f"{server.url}/models/m.json", companions=beside),
                NpmSource("models@1.0.0", sha256_of(self.archive), 1, "package/models/m.json", beside),
            ),
            sha256=sha256_of(path),
        )
        self.notices: list[str] = []
        self.store = WeightStore(root / "cache", registry={"toy": self.info}, notice=self.notices.append)

    def check(self) -> None:
        wanted = self.network.state_dict()
        assert all(torch.equal(value, wanted[name]) for name, value in self.store.load("toy").items())


@pytest.fixture
def package(file_server, tmp_path: Path) -> Package:
    return Package(file_server, tmp_path)


def test_files_that_belong_together_are_downloaded_together(package: Package, file_server):
    package.check()
    assert file_server.requests == ["/models/m.json", "/models/m0.bin"]


def test_a_companion_is_checked_by_its_hash(package: Package, file_server):
    content = file_server.files["/models/m0.bin"]
    file_server.files["/models/m0.bin"] = content[:-4] + b"abcd"
    with pytest.raises(SepcamError, match=r"m.json: has sha256 .*, expected"):
        package.store.fetch("toy")


@pytest.mark.parametrize("where", ["archive", "folder", "folder/models", "folder/models/m.json"])
def test_they_are_found_in_whatever_the_user_has(package: Package, where: str, file_server):
    name, _, rest = where.partition("/")
    package.store.fetch("toy", getattr(package, name) / rest if rest else getattr(package, name))
    package.check()
    assert package.notices == file_server.requests == []


def test_other_weights_than_the_official_ones_are_named(package: Package):
    content = package.weights.read_bytes()
    package.weights.write_bytes(content[:-4] + content[:4])
    package.store.fetch("toy", package.folder)
    assert "is not the official file" in package.notices[0]


def test_a_folder_or_file_without_them_is_refused(package: Package, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(SepcamError, match=r"the folder has no m\.json"):
        package.store.fetch("toy", tmp_path / "empty")
    package.weights.unlink()
    with pytest.raises(SepcamError, match=r"m0\.bin"):
        package.store.fetch("toy", package.folder)


# --- the real ones ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [name for name, info in REGISTRY.items() if isinstance(info.sources[0], WheelSource)]
)
def test_what_the_package_index_carries_loads(name: str):
    store = WeightStore()
    REGISTRY[name].build().load_state_dict(store.load(name))
    assert store.verify(name) == "ok"


@pytest.mark.parametrize(
    ("name", "file"),
    [("yolox-nano", "yolox_nano.onnx"), ("ssd-mobilenet-v1-coco", "coco_ssd_mobilenet_v1_1.0_quant.tflite")],
)
def test_what_only_an_address_carries_loads_from_a_file(
    name: str, file: str, published_weights: Path, cache_dir: Path
):
    store = WeightStore(notice=lambda text: None)
    store.fetch(name, published_weights / file)
    REGISTRY[name].build().load_state_dict(store.load(name))
