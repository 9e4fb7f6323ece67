"""From an image to boxes, keypoints and masks of people, with the networks of `networks.people`."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .decoding import Maps
    from .look import Look
    from .network import PeopleNetwork
    from .pose import PeoplePose
    from .second_look import SecondLook
    from .types import People, Seen, View

__all__ = [
    "Look",
    "Maps",
    "People",
    "PeopleNetwork",
    "PeoplePose",
    "SecondLook",
    "Seen",
    "View",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Look": "look",
        "Maps": "decoding",
        "People": "types",
        "PeopleNetwork": "network",
        "PeoplePose": "pose",
        "SecondLook": "second_look",
        "Seen": "types",
        "View": "types",
    },
)
