"""Network cameras on the loopback address, which can be killed and started again."""

import io
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np

Pictures = Callable[[int], np.ndarray]
"""The (height, width, 3) uint8 BGR picture to send, by its number; always of one size."""

_CLOCK = 90_000


class NetworkCamera:
    """A camera that sends to everyone who connects, from a picture of its own on.

    Args:
        kind: ``mjpeg`` (Motion JPEG over HTTP), ``mpegts`` (H.264 in a transport stream over HTTP) or
            ``rtsp`` (H.264 in RTP packets within the RTSP connection).
        pictures: what it sends.
        rate: pictures per second.
        port: to listen at; any free one by default.
    """

    def __init__(self, kind: str, pictures: Pictures, *, rate: float = 30.0, port: int = 0) -> None:
        self._stopped = threading.Event()
        self._connections: set[socket.socket] = set()
        camera, send = self, _SENDERS[kind]

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                camera._connections.add(self.request)
                with suppress(OSError):
                    send(self, pictures, camera._numbers(rate), rate)

            def finish(self) -> None:
                with suppress(OSError):
                    super().finish()

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'rtsp' if kind == 'rtsp' else 'http'}://127.0.0.1:{self.port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> "NetworkCamera":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """Gone at once, in the middle of a picture."""
        self._stopped.set()
        self._server.shutdown()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def _numbers(self, rate: float) -> Iterator[int]:
        """The numbers of the pictures, each when its time has come; none is made up for later."""
        begun = time.monotonic()
        number = 0
        while not self._stopped.wait(max(0.0, begun + number / rate - time.monotonic())):
            yield number
            number = max(number + 1, int((time.monotonic() - begun) * rate))


def _answer(handler: Any, content: str) -> None:
    while handler.rfile.readline().strip():
        pass
    handler.wfile.write(f"HTTP/1.0 200 OK\r\nContent-Type: {content}\r\n\r\n".encode())


def _send_jpegs(handler: Any, pictures: Pictures, numbers: Iterator[int], rate: float) -> None:
    _answer(handler, "multipart/x-mixed-replace; boundary=frame")
    for number in numbers:
        jpeg = cv2.imencode(".jpg", pictures(number))[1].tobytes()
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        handler.wfile.write(head.encode() + jpeg + b"\r\n")


def _send_transport_stream(handler: Any, pictures: Pictures, numbers: Iterator[int], rate: float) -> None:
    _answer(handler, "video/mp2t")
    # With its length, a picture can be decoded without waiting for the next one.
    options = {"flush_packets": "1", "omit_video_pes_length": "0"}
    _encode(handler.wfile, "mpegts", options, pictures, numbers, rate)


def _send_rtp(handler: Any, pictures: Pictures, numbers: Iterator[int], rate: float) -> None:
    while True:
        request = handler.rfile.readline().decode().split()
        headers = dict(
            line.split(": ", 1) for line in iter(lambda: handler.rfile.readline().decode().strip(), "")
        )
        if not request:
            return
        answer, body = [f"CSeq: {headers['CSeq']}"], ""
        match request[0]:
            case "OPTIONS":
                answer += ["Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN"]
            case "DESCRIBE":
                body = (
                    "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"
                    "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:track\r\n"
                )
                answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
            case "SETUP":
                answer += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
            case _:
                answer += ["Session: 1"]
        text = "\r\n".join(["RTSP/1.0 200 OK", *answer, "", body])
        handler.wfile.write(text.encode())
        if request[0] == "PLAY":
            options = {"packetsize": "1400"}
            _encode(_Interleaved(handler.wfile), "rtp", options, pictures, numbers, rate)
            return


class _Interleaved(io.RawIOBase):
    """Puts each packet into a frame of the RTSP connection (RFC 2326, 10.12)."""

    def __init__(self, out: Any) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, packet: Any) -> int:
        control = 72 <= packet[1] & 0x7F <= 76  # RTCP has a channel of its own
        self._out.write(struct.pack(">cBH", b"$", int(control), len(packet)) + packet)
        return len(packet)


def _encode(
    out: Any, container: str, options: dict[str, str], pictures: Pictures, numbers: Iterator[int], rate: float
) -> None:
    """H.264 as cameras send it: each picture at once, a whole one every second."""
    output = av.open(out, "w", format=container, options=options)
    codec = {"preset": "ultrafast", "tune": "zerolatency", "g": str(round(rate)), "repeat-headers": "1"}
    stream = output.add_stream("libx264", rate=Fraction(rate).limit_denominator(1000), options=codec)
    begun = None
    # What has gone away cannot be told the end.
    with suppress(OSError, av.error.FFmpegError):
        for number in numbers:
            image = pictures(number)
            now = time.monotonic()
            if begun is None:
                begun = now
                stream.height, stream.width, stream.pix_fmt = *image.shape[:2], "yuv420p"
                stream.codec_context.time_base = Fraction(1, _CLOCK)
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = round((now - begun) * _CLOCK), Fraction(1, _CLOCK)
            output.mux(stream.encode(frame))


_SENDERS = {"mjpeg": _send_jpegs, "mpegts": _send_transport_stream, "rtsp": _send_rtp}
