"""What every measured process shares: requests as JSON lines on stdin, replies on stdout.

Standard library and OpenCV only, since MediaPipe's process runs in an environment of its own.
"""

import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

import cv2
import numpy as np

MARK = "\x1e"
Handler = Callable[..., dict[str, Any]]


def serve(handlers: dict[str, Handler]) -> None:
    """Answers ``{"op": name, ...}`` with ``{"ok": ...}`` or ``{"error": ...}`` until stdin closes."""
    # Libraries print to stdout, some as they are imported; the mark tells a reply from that.
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = {"ok": handlers[request.pop("op")](**request)}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(f"\n{MARK}{json.dumps(reply)}\n")
        replies.flush()


def decoded(clip: str, frames: int) -> Generator[np.ndarray, None, None]:
    """The clip's first frames, (H, W, 3) uint8 BGR, read ahead by OpenCV in a thread of its own."""
    ahead: queue.Queue[np.ndarray | None] = queue.Queue(4)
    stop = threading.Event()

    def put(image: np.ndarray | None) -> None:
        while not stop.is_set():
            try:
                return ahead.put(image, timeout=0.1)
            except queue.Full:
                continue

    def read() -> None:
        capture = cv2.VideoCapture(clip)
        try:
            for _ in range(frames):
                found, image = capture.read()
                if not found or stop.is_set():
                    break
                put(image)
        finally:
            capture.release()
            put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        while (image := ahead.get()) is not None:
            yield image
    finally:
        stop.set()
        reader.join()


def first_frame(clip: str) -> np.ndarray:
    """The clip's first frame, (H, W, 3) uint8 BGR."""
    with closing(decoded(clip, 1)) as images:
        return next(images)
