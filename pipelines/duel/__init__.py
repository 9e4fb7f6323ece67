"""A fair duel: both forms of the same networks on the same frames, in turn."""

from typing import TYPE_CHECKING

from ...models.lazy import lazy_exports

if TYPE_CHECKING:
    from .contest import Duel
    from .result import DuelResult, Side

__all__ = ["Duel", "DuelResult", "Side"]

__getattr__ = lazy_exports(__name__, {"Duel": "contest", "DuelResult": "result", "Side": "result"})
