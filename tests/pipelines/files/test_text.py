"""Text files are read as any system saved them."""

import codecs

import pytest
from sepcam.models.errors import SepcamError
from sepcam.pipelines.files.text import lines_of, read_text

TEXT = "név = 1\nsecond\n"


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        codecs.BOM_UTF8 + TEXT.encode(),
        codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("\n", "\r").encode(),
    ],
    ids=["utf-8", "mark", "utf-16", "big end", "no mark", "windows", "old mac"],
)
def test_the_text_is_the_same(data, tmp_path):
    (tmp_path / "a.txt").write_bytes(data)
    assert read_text(tmp_path / "a.txt") == TEXT


def test_what_is_no_text_gets_one_line(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(SepcamError, match="line 2 is not text in UTF-8"):
        read_text(tmp_path / "a.txt")
    assert lines_of(tmp_path / "a.txt")[1] == "caf\udce9"
    with pytest.raises(SepcamError, match="none cannot be read: No such file"):
        read_text(tmp_path / "none")
    (tmp_path / "a.txt").write_bytes(b"RIFF\x10\0\0\0")
    with pytest.raises(SepcamError, match="it is not text"):
        lines_of(tmp_path / "a.txt")
