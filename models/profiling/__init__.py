"""What a network costs and how fast it is, and checks that its two forms agree."""

from typing import TYPE_CHECKING

from ..lazy import lazy_exports

if TYPE_CHECKING:
    from .cost import Layer, Pair, Profile, pairs, profile
    from .energy import EnergyMeter
    from .equivalence import Verdict, verify
    from .roofline import Ceiling, bytes_per_value
    from .variants import Subject, Variant, paper_network, registered

__all__ = [
    "Ceiling",
    "EnergyMeter",
    "Layer",
    "Pair",
    "Profile",
    "Subject",
    "Variant",
    "Verdict",
    "bytes_per_value",
    "pairs",
    "paper_network",
    "profile",
    "registered",
    "verify",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Ceiling": "roofline",
        "EnergyMeter": "energy",
        "Layer": "cost",
        "Pair": "cost",
        "Profile": "cost",
        "Subject": "variants",
        "Variant": "variants",
        "Verdict": "equivalence",
        "bytes_per_value": "roofline",
        "pairs": "cost",
        "paper_network": "variants",
        "profile": "cost",
        "registered": "variants",
        "verify": "equivalence",
    },
)
