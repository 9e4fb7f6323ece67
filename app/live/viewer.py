"""Shows a live session in a window until the viewer, or the source, has had enough."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from ...models.types import U8
from ...pipelines.live.frames import Shot
from ...pipelines.live.hud import draw_banner, draw_help, draw_recording
from ...pipelines.live.session import LiveSession
from .keys import Controls
from .window import Window

_POLL_S = 0.02


def show(session: LiveSession, folder: Path, stem: str, going_on: Callable[[], bool]) -> None:
    """Opens a window for a session that has started.

    Args:
        session: what to show.
        folder: where recordings and snapshots go.
        stem: what their names begin with.
        going_on: whether there is a reason to.
    """
    title = f"Sepcam - {session.info.name}"
    window = Window(title, (session.info.width, session.info.height), session.follow_at)
    try:
        view(session, window, Controls(session, folder, stem, window.toggle_full_screen), going_on)
    finally:
        window.close()


def view(session: LiveSession, window: Window, controls: Controls, going_on: Callable[[], bool]) -> None:
    """Shows images and passes keys on, until there is no reason to any more."""
    number = 0
    shot: Shot | None = None
    dressed: tuple[object, ...] = ()
    width, height = session.info.width, session.info.height
    start = np.zeros((height, width, 3), np.uint8)
    while going_on() and not (controls.quit or window.closed):
        new = session.wait(number, _POLL_S)
        if new is not None:
            if new.duel != (shot is not None and shot.duel):
                window.fit((new.image.shape[1], new.image.shape[0]))
            number, shot = new.number, new
        notice = session.notice() if shot is not None else "starting ..."
        dress = (notice, controls.help, session.recordings.video is not None)
        if new is not None or dress != dressed:
            dressed = dress
            window.show(_dress(start if shot is None else shot.image, *dress, controls))
        for key in window.pressed():
            controls.press(key)
        if new is not None:
            session.shown(new)


def _dress(image: U8, notice: str | None, help_wanted: bool, recording: bool, controls: Controls) -> U8:
    """The image with what belongs to this window alone; the image itself is shared."""
    if not (notice or help_wanted or recording):
        return image
    image = image.copy()
    if recording:
        draw_recording(image)
    if help_wanted:
        draw_help(image, [(key.label, key.does) for key in controls.keys])
    if notice:
        draw_banner(image, notice)
    return image
