"""Right-to-left text where Pillow has no FriBiDi to order and join it: it uses the one of the system.

The order is that of the Unicode bidirectional algorithm (UAX 9) for a line without embeddings and isolates.
"""

import unicodedata

_MIRRORED = str.maketrans("()[]{}<>«»", ")(][}{><»«")
_RIGHT = ("R", "AL")
_STRONG = ("L", *_RIGHT)
_SURE = (*_STRONG, "EN", "AN")


def visual(text: str) -> str:
    """A line of text as it is read from left to right on the screen, its Arabic letters joined."""
    if not any(unicodedata.bidirectional(char) in _RIGHT for char in text):
        return text
    import arabic_reshaper

    text = arabic_reshaper.reshape(text)
    levels = _levels(text)
    chars = [
        char.translate(_MIRRORED) if level % 2 else char for char, level in zip(text, levels, strict=True)
    ]
    for level in range(max(levels), 0, -1):
        start = 0
        while start < len(chars):
            end = start
            while end < len(chars) and levels[end] >= level:
                end += 1
            chars[start:end] = chars[start:end][::-1]
            levels[start:end] = levels[start:end][::-1]
            start = end + 1
    return "".join(chars)


def _levels(text: str) -> list[int]:
    """The embedding level of each character: odd ones run from right to left."""
    kinds = _figures([unicodedata.bidirectional(char) for char in text])
    last = base = next(kind for kind in kinds if kind in _STRONG)
    for place, kind in enumerate(kinds):
        last = kind if kind in _STRONG else last
        if kind == "EN" and last == "L":
            kinds[place] = "L"
    right = base in _RIGHT
    levels = [{"L": 2 * right, "EN": 2, "AN": 2}.get(kind, int(kind in _RIGHT or right)) for kind in kinds]
    for place, kind in enumerate(kinds):  # what is neutral runs as both of its neighbors do
        if kind not in _SURE:
            before = next((one for one in kinds[:place][::-1] if one in _SURE), base)
            after = next((one for one in kinds[place:] if one in _SURE), base)
            if (before == "L") == (after == "L"):
                levels[place] = 2 * right if before == "L" else 1
    return levels


def _figures(kinds: list[str]) -> list[str]:
    """With signs inside and beside figures, as in 0.93 and #3, taken for figures."""
    for place in range(1, len(kinds) - 1):
        before, kind, after = kinds[place - 1 : place + 2]
        if before == after == "EN" and kind in ("ES", "CS"):
            kinds[place] = "EN"
    for steps in (range(1, len(kinds)), range(len(kinds) - 2, -1, -1)):
        for place in steps:
            beside = kinds[place - steps.step]
            if kinds[place] == "ET" and beside == "EN":
                kinds[place] = "EN"
    return kinds
