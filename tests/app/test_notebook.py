"""The notebook runs from its first cell to its last, on the bundled clip."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[2] / "assets" / "people_in_a_video.ipynb"


# pyzmq warns of event loops on Windows, ipykernel of its own parts; neither is ours.
@pytest.mark.filterwarnings("ignore")
def test_every_cell_of_the_notebook_runs(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    notebook.cells[1].source = notebook.cells[1].source.replace("FRAMES = 40", "FRAMES = 6")
    assert all(not cell.get("outputs") for cell in notebook.cells)  # committed without outputs
    environment = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute(env=environment)
    said = "".join(out.get("text", "") for cell in notebook.cells for out in cell.get("outputs", ()))
    assert "people in 6 frames" in said
    pictures = [
        out
        for cell in notebook.cells
        for out in cell.get("outputs", ())
        if "image/png" in out.get("data", {})
    ]
    assert len(pictures) == 3
