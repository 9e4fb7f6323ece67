"""Decode and encode with nothing between them: what no analysis that writes video can beat."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.video.stream import VideoStream
from protocol import decoded, serve


def run_opencv(clip: str, frames: int, folder: str) -> dict[str, Any]:
    """OpenCV alone; its wheels carry no H.264 encoder, so it writes MPEG-4 part 2."""
    target = str(Path(folder) / "floor-opencv.mp4")
    capture = cv2.VideoCapture(clip)
    size = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    rate = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    started = time.perf_counter()
    writer = cv2.VideoWriter(target, cv2.VideoWriter.fourcc(*"mp4v"), rate, size)
    done = _in_a_thread(decoded(clip, frames), lambda image: writer.write(image))
    writer.release()
    return {"seconds": time.perf_counter() - started, "frames": done}


def run_av(clip: str, frames: int, folder: str, codec: str, options: dict[str, str]) -> dict[str, Any]:
    """PyAV: decode to BGR, encode from BGR with the encoder and settings that Sepcam writes with."""
    target = str(Path(folder) / "floor-av.mp4")
    started = time.perf_counter()
    with av.open(clip) as source, av.open(target, "w") as container:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        stream = container.add_stream(codec, rate=video.average_rate, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        stream.codec_context.thread_count = 0

        def images() -> Iterator[np.ndarray]:
            for index, frame in enumerate(source.decode(video)):
                if index == frames:
                    return
                yield frame.to_ndarray(format="bgr24")

        def write(image: np.ndarray) -> None:
            # OpenCV converts several times as fast as FFmpeg's scaler, and a floor is as fast as can be.
            planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2YUV_I420))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))

        done = _in_a_thread(images(), write)
        container.mux(stream.encode(None))
    return {"seconds": time.perf_counter() - started, "frames": done}


def _in_a_thread(images: Iterator[np.ndarray], write: Callable[[np.ndarray], object]) -> int:
    """Encodes in a second thread, so that decode and encode overlap; returns the number of frames."""
    waiting: queue.Queue[np.ndarray | None] = queue.Queue(4)
    failed: list[Exception] = []

    def encode() -> None:
        while (image := waiting.get()) is not None:
            if not failed:
                try:
                    write(image)
                except Exception as error:
                    failed.append(error)

    encoder = threading.Thread(target=encode)
    encoder.start()
    done = 0
    try:
        for image in images:
            waiting.put(image)
            done += 1
    finally:
        waiting.put(None)
        encoder.join()
    if failed:
        raise failed[0]
    return done


if __name__ == "__main__":
    serve({"run_opencv": run_opencv, "run_av": run_av})
