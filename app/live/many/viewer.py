"""Shows several sources in a window: all in a grid, or one alone."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np

from ....models.types import U8
from ....pipelines.live.frames import Shot
from ....pipelines.live.hud import draw_banner, draw_help, draw_recording
from ....pipelines.live.session import LiveSession
from ....pipelines.watching.rules import Rule
from ..viewer import Mouse
from ..window import Window
from ..zones import ZoneEditor
from .feeds import Feed, Feeds
from .grid import Caption, Grid
from .keys import GridControls

_POLL_S = 0.005
_REFRESH_S = 0.25
"""How often rates and ages change where no frame comes."""

_ASPECT = 16 / 9
_ALONE = 640, 360  # of a source that has no frame


def show_grid(
    feeds: Feeds,
    folder: Path,
    rules: Callable[[Feed], Sequence[Rule]],
    going_on: Callable[[], bool],
) -> None:
    """Opens a window for sources that have begun, or are about to.

    Args:
        feeds: what to show.
        folder: where recordings and snapshots go.
        rules: returns the rules of a source, whose lines and zones have to stay.
        going_on: whether there is a reason to.
    """
    _View(feeds, folder, rules).run(going_on)


class _View:
    """The window, and the newest frame of each source."""

    def __init__(self, feeds: Feeds, folder: Path, rules: Callable[[Feed], Sequence[Rule]]) -> None:
        self._feeds, self._rules = feeds, rules
        self._mice: dict[int, Mouse] = {}
        self._shots: list[Shot | None] = [None] * len(feeds)
        sizes = [feed.session.info for feed in feeds if feed.session is not None]
        aspect = median(info.width / info.height for info in sizes) if sizes else _ASPECT
        self._grid = Grid(len(feeds), min(max(aspect, 0.5), 2.4))
        self._captions: list[Caption | None] = [None] * len(feeds)
        self._refresh_at = 0.0
        self._window = Window(f"Sepcam - {len(feeds)} sources", self._grid.size, self._clicked, self._dragged)
        self._controls = GridControls(
            feeds, folder, self._window.toggle_full_screen, self._edit_zones, self._pointed_at
        )
        self._shown: tuple[object, ...] = ()
        self._size = self._grid.size

    def run(self, going_on: Callable[[], bool]) -> None:
        """Shows frames and passes keys on, until there is no reason to any more."""
        try:
            while going_on() and not (self._controls.quit or self._window.closed):
                new = self._take()
                self._show(new)
                for key in self._window.pressed():
                    mouse = self._mouse()
                    if mouse is None or not mouse.key(key):
                        self._controls.press(key)
                for place in new:
                    session, shot = self._feeds[place].session, self._shots[place]
                    if session is not None and shot is not None:
                        session.shown(shot)
                if not new:
                    time.sleep(_POLL_S)
        finally:
            self._window.close()

    def _clicked(self, x: int, y: int) -> None:
        mouse = self._mouse()
        if mouse is not None:
            mouse.press(x, y)
        elif self._controls.big is None:
            self._controls.show(self._grid.at(x, y))

    def _dragged(self, x: int, y: int, down: bool) -> None:
        mouse = self._mouse()
        if mouse is not None:
            mouse.drag(x, y, down)

    def _pointed_at(self) -> int | None:
        """The place of the card under the mouse in the grid, or None."""
        pointer = self._window.pointer
        return None if pointer is None else self._grid.at(*pointer)

    def _edit_zones(self) -> None:
        mouse = self._mouse()
        if mouse is not None:
            mouse.edit()

    def _mouse(self) -> Mouse | None:
        """What the mouse is for in the source that is shown alone; None in the grid."""
        big = self._controls.big
        session = None if big is None else self._feeds[big].session
        if big is None or session is None:
            return None
        if big not in self._mice:
            feed = self._feeds[big]
            self._mice[big] = Mouse(session, ZoneEditor(session, self._rules(feed), feed.zone_file))
        return self._mice[big]

    def _take(self) -> list[int]:
        """Takes the newest frames; returns the places of those that are new."""
        new = []
        for place, feed in enumerate(self._feeds):
            before = self._shots[place]
            shot = None if feed.session is None else feed.session.wait(before.number if before else 0, 0)
            if shot is not None:
                self._shots[place] = shot
                new.append(place)
        return new

    def _show(self, new: Sequence[int]) -> None:
        controls = self._controls
        if controls.big is None:
            changed = self._draw_cards(new)
            look = ("grid", controls.help, controls.hint)
            if changed or look != self._shown:
                self._shown = look
                self._put(self._grid.image, controls.hint, recording=False)
            return
        feed, shot = self._feeds[controls.big], self._shots[controls.big]
        notice = feed.notice() or (None if shot is not None else "starting ...")
        recording = _recording(feed.session)
        mouse = self._mouse()
        drawing = None if mouse is None else mouse.drawing
        look = (controls.big, controls.help, notice, recording, drawing)
        if controls.big in new or look != self._shown or drawing is not None:
            self._shown = look
            image = np.zeros((_ALONE[1], _ALONE[0], 3), np.uint8) if shot is None else shot.image
            if drawing is not None:
                image = image.copy()
                drawing.draw(image)
            self._put(image, notice, recording=recording)

    def _draw_cards(self, new: Sequence[int]) -> bool:
        """Draws the cards that have changed; whether there were any."""
        now = time.monotonic()
        refresh = now >= self._refresh_at or self._shown[:1] != ("grid",)
        if refresh:
            self._refresh_at = now + _REFRESH_S
        changed = False
        for place, feed in enumerate(self._feeds):
            if not (refresh or place in new):
                continue
            shot, before = self._shots[place], self._captions[place]
            caption = _caption(feed, shot, now)
            if place in new or caption != before:
                self._captions[place] = caption
                self._grid.draw(place, None if shot is None else shot.image, caption)
                changed = True
        return changed

    def _put(self, image: U8, notice: str | None, *, recording: bool) -> None:
        """Shows an image with what belongs to this window alone; the image itself is shared."""
        if notice or recording or self._controls.help:
            image = image.copy()
        if recording:
            draw_recording(image)
        if self._controls.help:
            draw_help(image, self._controls.table())
        if notice:
            draw_banner(image, notice)
        size = image.shape[1], image.shape[0]
        if size != self._size:
            self._size = size
            self._window.fit(size)
        self._window.show(image)


def _recording(session: LiveSession | None) -> bool:
    return session is not None and session.recordings.video is not None


def _caption(feed: Feed, shot: Shot | None, now: float) -> Caption:
    """What a card says; the rate is that of the frames that were shown lately."""
    session = feed.session
    figures = ""
    if shot is not None and session is not None:
        rate = None if feed.over else shot.status.figures.meter.processing_fps
        age = now - shot.arrived
        figures = f"{'...' if rate is None else f'{rate:.1f}'} FPS   {_age(age)}"
    notice = feed.notice() or (None if shot is not None else "starting ...")
    return Caption(feed.name, figures, notice, _recording(session))


def _age(seconds: float) -> str:
    """How old a frame is, to what can be read while it changes."""
    if seconds < 1:
        return f"{10 * round(100 * seconds)} ms"
    return f"{seconds:.1f} s" if seconds < 60 else f"{seconds / 60:.0f} min"
