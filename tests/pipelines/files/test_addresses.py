"""Addresses are shown without their secrets, and names of local files are understood."""

from pathlib import Path

import pytest
from sepcam.pipelines.files.addresses import is_address, local_path, redacted, shown


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        ("rtsp://host:554/cam", "rtsp://host:554/cam"),
        ("http://admin:S3cret!@host:80/v.mp4", "http://host:80/v.mp4"),
        ("rtsp://admin@host/cam", "rtsp://host/cam"),
        ("rtsp://admin:p@ss@host/cam", "rtsp://host/cam"),
        ("rtsp://admin:pa/ss@host/cam", "rtsp://host/cam"),
        ("rtsp://admin:12#3@host/cam", "rtsp://host/cam"),
        ("rtsp://admin:pa'ss@host/cam", "rtsp://host/cam"),
        ("https://host/v.mp4?token=abc#x", "https://host/v.mp4"),
        ("srt://host:90?passphrase=abc", "srt://host:90"),
        ("http://[::1]:80/v?t=abc", "http://[::1]:80/v"),
        ("rtsp://host/user=me&password=abc&channel=1", "rtsp://host/user=***&password=***&channel=1"),
        ("rtsp://host/user=me_password=abc_channel=1.sdp", "rtsp://host/user=***"),
        ("zip://a.mp4::https://me:abc@host/a.zip?x", "zip://a.mp4::https://host/a.zip"),
        ("https://host/@user/v.mp4", "https://host/@user/v.mp4"),
        ("clip@home:1?.mp4", "clip@home:1?.mp4"),
    ],
)
def test_an_address_is_shown_without_its_secrets(address, seen):
    assert shown(address) == seen
    text = f"{address} cannot be reached (see '{address}'); try {address}, again"
    assert redacted(text) == text.replace(address, seen)


@pytest.mark.parametrize(
    ("name", "address"),
    [("rtsp://host", True), ("zip://a::s3://b", True), ("10:00:00.mp4", False), ("C:/a.mp4", False)],
)
def test_addresses_are_told_from_paths(name, address):
    assert is_address(name) is address


def test_names_of_local_files(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert local_path("~/a.mp4") == str(tmp_path / "a.mp4")
    assert local_path("a~b.mp4") == "a~b.mp4"
    assert local_path("file:///data/a%20b%E9.mp4") == "/data/a b\udce9.mp4"
    assert local_path("~nobody-of-that-name/x") == "~nobody-of-that-name/x"
    Path("~").mkdir()
    assert local_path("~") == "~"
