"""What several test modules share."""

import os
from pathlib import Path

import hypothesis
import pytest

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("sepcam", deadline=None)
hypothesis.settings.load_profile("sepcam")


@pytest.fixture(scope="session")
def shared_weights() -> Path | None:
    """The folder with copies of weights that no package index carries, or None where there is none.

    A test that gets None goes on with random weights: it never skips.
    """
    folder = Path(__file__).parents[2] / "shared" / "weights"
    return folder if folder.is_dir() else None


@pytest.fixture
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the test's own, also for the processes that it starts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("SEPCAM_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def _few_threads() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "2")
