"""The keys of the live window, and what each does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ...models.errors import SepcamError
from ...models.files import fit_name, free_path
from ...models.types import ConvKind
from ...pipelines.drawing.options import HudDetail
from ...pipelines.live.session import LiveSession
from ...pipelines.tracking.settings import settings_for
from ...pipelines.types import Task
from ..terminal import console
from ..terminal.images import save_image
from .request import detector_names
from .window import ESCAPE

_CONF_STEP = 0.05
_NEXT_HUD: dict[HudDetail, HudDetail] = {"fps": "full", "full": "off", "off": "fps"}


@dataclass(frozen=True, slots=True)
class Key:
    """A key.

    Attributes:
        characters: any of these.
        label: what it is called.
        does: what it does, in a few words.
        action: does it.
    """

    characters: str
    label: str
    does: str
    action: Callable[[], None]


class Controls:
    """What keys do to a session.

    Args:
        session: the session.
        folder: where recordings and snapshots go.
        stem: what their names begin with.
        toggle_full_screen: fills the screen, or no longer.
        change: takes the settings to change; None changes those of the session.
        pause: told whether to pause; None pauses the session.
        edit_zones: lets the viewer draw lines and zones; None where they cannot be drawn.

    Attributes:
        keys: all of them, in the order of the help.
        quit: whether the viewer wants to leave.
        help: whether the viewer wants to see the keys.
    """

    keys: Sequence[Key]
    quit: bool
    help: bool

    def __init__(
        self,
        session: LiveSession,
        folder: Path,
        stem: str,
        toggle_full_screen: Callable[[], None],
        *,
        change: Callable[..., object] | None = None,
        pause: Callable[[bool], object] | None = None,
        edit_zones: Callable[[], None] | None = None,
    ) -> None:
        self._change, self._set_paused = change or session.change, pause or session.pause
        self._session, self._folder, self._stem = session, folder, stem
        self._first = self._asked = session.settings.detector
        self.quit = self.help = False
        self.keys = (
            Key("hH?", "h ?", "show or hide these keys", self._toggle_help),
            Key("qQ" + ESCAPE, "q Esc", "quit", self._quit),
            Key(" ", "space", "pause, resume", self._pause),
            Key("bB", "b", "separable or standard backbone", self._toggle_backbone),
            Key("vV", "v", "begin or end a duel of both backbones", self._toggle_duel),
            Key("cC", "c", "save the card of the duel", self._save_card),
            Key("1tT", "1 t", "tracking", lambda: self._toggle_task("track")),
            Key("2pP", "2 p", "pose", lambda: self._toggle_task("pose")),
            Key("3mM", "3 m", "masks", lambda: self._toggle_task("segment")),
            Key("dD", "d", "next detector", self._next_detector),
            Key("+=", "+", "raise the score threshold", lambda: self._change_conf(_CONF_STEP)),
            Key("-_", "-", "lower the score threshold", lambda: self._change_conf(-_CONF_STEP)),
            Key("rR", "r", "record, stop recording", self._record),
            Key("sS", "s", "snapshot", self._snapshot),
            Key("fF", "f", "full screen", toggle_full_screen),
            Key("iI", "i", "more or fewer figures", self._next_hud),
            *(() if edit_zones is None else (Key("zZ", "z", "draw lines and zones", edit_zones),)),
            Key("", "click", "follow a person; elsewhere: nobody", lambda: None),
        )

    def press(self, character: str) -> None:
        """A key was pressed; what goes wrong is said in the image."""
        for key in self.keys:
            if character and character in key.characters:
                try:
                    key.action()
                except SepcamError as error:
                    self._session.say(str(error))

    def _toggle_help(self) -> None:
        self.help = not self.help

    def _quit(self) -> None:
        self.quit = True

    def _pause(self) -> None:
        self._set_paused(not self._session.paused)

    def _toggle_backbone(self) -> None:
        other: ConvKind = "standard" if self._session.settings.backbone == "separable" else "separable"
        self._change(backbone=other)

    def _toggle_duel(self) -> None:
        duel = self._session.duel
        if duel.on:
            duel.end()
            return
        self._set_paused(False)
        duel.begin()

    def _save_card(self) -> None:
        card = self._session.duel.card()
        image, _ = card.save(self._new_path(".png", "-duel").with_suffix(""))
        self._tell("saved", image)

    def _toggle_task(self, task: Task) -> None:
        self._change(tasks=self._session.settings.tasks ^ {task})

    def _next_detector(self) -> None:
        # From the last one requested, which may have been unavailable; the first may be the user's own.
        names = detector_names(self._first)
        self._asked = following = names[(names.index(self._asked) + 1) % len(names)]
        self._change(detector=following)
        self._session.say(f"detector: {following}")

    def _change_conf(self, step: float) -> None:
        settings = self._session.settings
        now = settings_for(settings.detector).new if settings.conf is None else settings.conf
        conf = round(min(0.95, max(0.05, now + step)), 2)
        self._change(conf=conf)
        self._session.say(f"confidence: {conf:.2f}")

    def _record(self) -> None:
        recordings = self._session.recordings
        if recordings.video is None:
            recordings.start(self._new_path(".mp4"))
            return
        path = recordings.stop()
        self._tell("recorded", path)

    def _snapshot(self) -> None:
        shot = self._session.wait()
        if shot is not None:
            path = self._new_path(".png")
            save_image(shot.image, path)
            self._tell("saved", path)

    def _tell(self, what: str, path: Path | None) -> None:
        """Says in the image, and on the terminal, where a file is."""
        if path is None:
            self._session.say("nothing was recorded")
            return
        self._session.say(f"{what} {path.name}")
        console.note(f"{what} {path}")

    def _next_hud(self) -> None:
        self._change(hud=_NEXT_HUD[self._session.settings.hud])

    def _new_path(self, suffix: str, kind: str = "") -> Path:
        """A name with the time of day that no file has or will have."""
        time = f"{kind}-{datetime.now():%Y%m%d-%H%M%S}"
        stem = fit_name(self._folder, self._stem, time, room=len("-99") + len(suffix))
        return free_path(self._folder, stem, suffix)
