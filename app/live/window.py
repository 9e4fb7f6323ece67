"""A window on the desktop: images in, keys and clicks out."""

import os
from collections.abc import Callable, Iterator

# Qt, inside OpenCV, grumbles about fonts that it does not need.
os.environ.setdefault("QT_LOGGING_RULES", "*.warning=false")

import cv2

from ...models.types import U8

ESCAPE = "\x1b"
_LARGEST = 1280, 720
_NAMED = {0xFF08: "\x08", 0xFF0D: "\r", 0xFF8D: "\r", 0xFF1B: ESCAPE, 0xFFFF: "\x7f"}
"""Keys that have a character and that some of OpenCV's windows report by their X11 name."""


class Window:
    """A window; all its methods belong to the main thread.

    Args:
        title: its title.
        size: (width, height) of the images; larger ones begin scaled down.
        on_click: called with x and y, in pixels of the image, where the left button was pressed.
        on_drag: called with x, y and whether the button is still down, while the mouse moves and when the
            left button is released.

    Attributes:
        pointer: where the mouse was last, in pixels of the image; None before it was over the window.
    """

    pointer: tuple[int, int] | None

    def __init__(
        self,
        title: str,
        size: tuple[int, int],
        on_click: Callable[[int, int], object],
        on_drag: Callable[[int, int, bool], object] = lambda x, y, down: None,
    ) -> None:
        self._title = title
        self._full = False
        self._seen = False
        self.pointer = None
        cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        self.fit(size)

        def on_mouse(event: int, x: int, y: int, flags: int, data: object) -> None:
            self.pointer = x, y
            if event == cv2.EVENT_LBUTTONDOWN:
                on_click(x, y)
            elif event == cv2.EVENT_LBUTTONUP or (
                event == cv2.EVENT_MOUSEMOVE and flags & cv2.EVENT_FLAG_LBUTTON
            ):
                on_drag(x, y, event == cv2.EVENT_MOUSEMOVE)

        cv2.setMouseCallback(title, on_mouse)

    def fit(self, size: tuple[int, int]) -> None:
        """Makes the window as large as images of (width, height), unless it fills the screen."""
        self.pointer = None  # it was at a pixel of another image
        if self._full:
            return
        scale = min(1.0, _LARGEST[0] / size[0], _LARGEST[1] / size[1])
        cv2.resizeWindow(self._title, round(size[0] * scale), round(size[1] * scale))

    def show(self, image: U8) -> None:
        """Shows an (H, W, 3) uint8 BGR image; it is on the screen after ``pressed``."""
        cv2.imshow(self._title, image)

    def pressed(self) -> Iterator[str]:
        """Lets the window work for a moment, and returns the keys pressed since then."""
        # waitKey keeps the lowest byte alone, by which an arrow key is a letter: left is "Q".
        while (code := cv2.waitKeyEx(1)) >= 0:
            symbol = code & 0xFFFF  # above are modifiers
            character = _NAMED.get(symbol, chr(symbol) if 0 < symbol < 0x80 else None)
            if character is not None:
                yield character

    def toggle_full_screen(self) -> None:
        """Fills the screen, or no longer."""
        self._full = not self._full
        state = cv2.WINDOW_FULLSCREEN if self._full else cv2.WINDOW_NORMAL
        cv2.setWindowProperty(self._title, cv2.WND_PROP_FULLSCREEN, state)

    @property
    def closed(self) -> bool:
        """Whether somebody closed it, after it had come up."""
        visible = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        self._seen = self._seen or visible
        return self._seen and not visible

    def close(self) -> None:
        """Takes it away."""
        cv2.destroyAllWindows()
        cv2.waitKey(1)
