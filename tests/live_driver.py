"""Shows a live session in a real window and prints its status, a JSON line every 50 ms, for a test.

A process of its own: Qt ends the process that it lives in when its display goes away.
"""

import json
import os
import sys
import threading
from pathlib import Path

from sepcam.app.live.viewer import show
from sepcam.pipelines.execution.network_pool import NetworkPool
from sepcam.pipelines.live.session import LiveSession
from sepcam.pipelines.live.settings import LiveSettings
from sepcam.pipelines.sources.open_live import open_live


def main(source: str, folder: str) -> None:
    settings = LiveSettings("ssdlite-person", tasks=frozenset({"track"}))
    with LiveSession(open_live(source, loop=True), NetworkPool.of(), settings, target_fps=0) as session:
        done = threading.Event()

        def tell() -> None:
            while not done.wait(0.05):
                shot = session.wait()
                people = [] if shot is None else shot.result.instances.boxes.round().tolist()
                print(json.dumps({**session.status().to_json(), "boxes": people}), flush=True)

        teller = threading.Thread(target=tell)
        teller.start()
        session.start()
        try:
            show(session, Path(folder), "clip", lambda: not session.ended)
        finally:
            done.set()
            teller.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
    # As the command does: a network that is still being loaded would crash an interpreter that ends.
    sys.stdout.flush()
    os._exit(0)
