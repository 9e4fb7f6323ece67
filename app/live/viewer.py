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
from .zone_drawing import ZoneDrawing
from .zones import ZoneEditor

_POLL_S = 0.02


def show(
    session: LiveSession,
    folder: Path,
    stem: str,
    going_on: Callable[[], bool],
    editor: ZoneEditor | None = None,
) -> None:
    """Opens a window for a session that has started.

    Args:
        session: what to show.
        folder: where recordings and snapshots go.
        stem: what their names begin with.
        going_on: whether there is a reason to.
        editor: changes the lines and zones, or None where they cannot be changed.
    """
    title = f"Sepcam - {session.info.name}"
    mouse = Mouse(session, editor)
    window = Window(title, (session.info.width, session.info.height), mouse.press, mouse.drag)
    edit_zones = None if editor is None else mouse.edit
    controls = Controls(session, folder, stem, window.toggle_full_screen, edit_zones=edit_zones)
    try:
        view(session, window, controls, mouse, going_on)
    finally:
        window.close()


class Mouse:
    """What the mouse is for: following somebody, or drawing lines and zones.

    Attributes:
        drawing: while lines and zones are drawn, else None.
    """

    drawing: ZoneDrawing | None

    def __init__(self, session: LiveSession, editor: ZoneEditor | None) -> None:
        self._session, self._editor = session, editor
        self.drawing = None

    def edit(self) -> None:
        """Begin to draw lines and zones; not during a duel, whose image has another size."""
        if self._session.duel.on:
            self._session.say("end the duel first (v), then draw zones")
        elif self._editor is not None:
            size = self._session.info.width, self._session.info.height
            self.drawing = ZoneDrawing(self._editor, size)

    def press(self, x: int, y: int) -> None:
        """The left button went down."""
        if self.drawing is None:
            self._session.follow_at(x, y)
        else:
            self.drawing.mouse("down", x, y)

    def drag(self, x: int, y: int, down: bool) -> None:
        """The mouse moved with the button down, or the button was released."""
        if self.drawing is not None:
            self.drawing.mouse("move" if down else "up", x, y)

    def key(self, character: str) -> bool:
        """A key was pressed; whether it was for the drawing."""
        if self.drawing is None:
            return False
        if not self.drawing.key(character):
            self.drawing = None
        return True


def view(
    session: LiveSession, window: Window, controls: Controls, mouse: Mouse, going_on: Callable[[], bool]
) -> None:
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
        dress = (notice, controls.help, session.recordings.video is not None, mouse.drawing)
        if new is not None or dress != dressed or mouse.drawing is not None:
            dressed = dress
            window.show(_dress(start if shot is None else shot.image, *dress, controls))
        for key in window.pressed():
            if not mouse.key(key):
                controls.press(key)
        if new is not None:
            session.shown(new)


def _dress(
    image: U8,
    notice: str | None,
    help_wanted: bool,
    recording: bool,
    drawing: ZoneDrawing | None,
    controls: Controls,
) -> U8:
    """The image with what belongs to this window alone; the image itself is shared."""
    if not (notice or help_wanted or recording or drawing):
        return image
    image = image.copy()
    if drawing is not None:
        drawing.draw(image)
    if recording:
        draw_recording(image)
    if help_wanted:
        draw_help(image, [(key.label, key.does) for key in controls.keys])
    if notice:
        draw_banner(image, notice)
    return image
