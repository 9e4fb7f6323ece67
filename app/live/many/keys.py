"""The keys of the grid: what applies to all sources, and what to the one that is shown big."""

from collections.abc import Callable, Sequence
from pathlib import Path

from ..keys import Controls, Key
from ..window import ESCAPE
from .feeds import Feed, Feeds

_ONE_ALONE = "vVcCrRsSzZ"  # keys that are for the source that is shown big
_DIGITS = "123456789"


class GridControls:
    """What keys and clicks do.

    Args:
        feeds: the sources.
        folder: where recordings and snapshots go.
        toggle_full_screen: fills the screen, or no longer.
        edit_zones: lets the viewer draw lines and zones of the source that is shown alone.
        pointed_at: returns the 0-based place of the card under the mouse, or None.

    Attributes:
        keys: all of them, in the order of the help.
        big: the 0-based place of the source that is shown alone, None for the grid.
        quit: whether the viewer wants to leave.
        help: whether the viewer wants to see the keys.
        hint: what to say in the grid, or None.
    """

    keys: Sequence[Key]
    big: int | None
    quit: bool
    help: bool
    hint: str | None

    def __init__(
        self,
        feeds: Feeds,
        folder: Path,
        toggle_full_screen: Callable[[], None],
        edit_zones: Callable[[], None],
        pointed_at: Callable[[], int | None],
    ) -> None:
        self._feeds, self._folder, self._edit_zones = feeds, folder, edit_zones
        self._toggle_full_screen, self._pointed_at = toggle_full_screen, pointed_at
        self._controls: dict[int, Controls] = {}
        self.big: int | None = None
        self.quit = self.help = False
        self.hint: str | None = None
        digits = f"1-{min(9, len(feeds))}"
        self.keys = (
            Key("hH?", "h ?", "show or hide these keys", self._toggle_help),
            Key("qQ", "q", "quit", self._quit),
            Key("", f"{digits} click", "show that source alone", lambda: None),
            Key("0gG" + ESCAPE, "0 g Esc", "back to the grid; Esc there: quit", lambda: None),
            Key("fF", "f", "full screen", toggle_full_screen),
        )

    def press(self, character: str) -> None:
        """A key was pressed; what goes wrong is said in the image."""
        self.hint = None
        if character in "zZ" and self.big is None:
            self.show(self._pointed_at())
        if character in _DIGITS:
            self.show(int(character) - 1)
        elif character == ESCAPE and self.big is None:
            self.quit = True
        elif character in "0gG" + ESCAPE:
            self.big = None
        elif any(character in key.characters for key in self.keys):
            for key in self.keys:
                if character in key.characters:
                    key.action()
        elif character in _ONE_ALONE and self.big is None:
            point = ", or point at it" if character in "zZ" else ""
            self.hint = f"choose a source first: its number, or a click{point}"
        else:
            controls = self._of(self._chosen())
            if controls is not None:
                controls.press(character)

    def show(self, place: int | None) -> None:
        """Shows a source alone, by its 0-based place; one that is not there is ignored."""
        if place is not None and place < len(self._feeds):
            self.big = place

    def table(self) -> list[tuple[str, str]]:
        """The keys and what they do, for the help."""
        rows = [(key.label, key.does) for key in self.keys]
        controls = self._of(self._chosen())
        here = {character for key in self.keys for character in key.characters}
        for key in () if controls is None else controls.keys:
            if key.characters and not here & set(key.characters):
                which = "" if key.characters[0] in _ONE_ALONE else ", for all"
                which = " of the one under the mouse" if key.label == "z" else which
                rows.append((key.label.lstrip(_DIGITS + " "), f"{key.does}{which}"))
        return [*rows, ("click", "in one alone: follow a person; elsewhere: nobody")]

    def _chosen(self) -> Feed | None:
        """The source that is shown alone, or the first one with frames: it leads where all are switched."""
        if self.big is not None:
            return self._feeds[self.big]
        return next((feed for feed in self._feeds if feed.session is not None and not feed.over), None)

    def _of(self, feed: Feed | None) -> Controls | None:
        if feed is None or feed.session is None:
            return None
        if feed.number not in self._controls:
            self._controls[feed.number] = Controls(
                feed.session,
                self._folder,
                feed.stem,
                self._toggle_full_screen,
                change=self._feeds.change,
                pause=self._feeds.pause,
                edit_zones=self._edit_zones,
            )
        return self._controls[feed.number]

    def _toggle_help(self) -> None:
        self.help = not self.help

    def _quit(self) -> None:
        self.quit = True
