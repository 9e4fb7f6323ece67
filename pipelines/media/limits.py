"""Limits for files from untrusted senders; imports nothing heavy."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenLimits:
    """What FFmpeg may do with a file from an untrusted sender.

    Attributes:
        demuxers: names of the demuxers that may read it, separated by commas; it may open no other file.
        max_pixels: width times height of its frames; FFmpeg allocates and decodes none that is larger.
    """

    demuxers: str
    max_pixels: int

    def options(self) -> dict[str, str]:
        """Options for FFmpeg's container and, with them, for its probing decoders."""
        return {
            "format_whitelist": self.demuxers,
            "protocol_whitelist": "file",
            "max_pixels": str(self.max_pixels),
        }
