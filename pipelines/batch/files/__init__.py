"""A job's files: finding inputs, naming outputs, remote stores and transfers."""

from typing import TYPE_CHECKING

from ....models.lazy import lazy_exports

if TYPE_CHECKING:
    from .inputs import Found, Input, find_inputs
    from .naming import name_targets
    from .remote import in_store, size_in_store
    from .transfer import fetched, put, put_in_store

__all__ = [
    "Found",
    "Input",
    "fetched",
    "find_inputs",
    "in_store",
    "name_targets",
    "put",
    "put_in_store",
    "size_in_store",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "Found": "inputs",
        "Input": "inputs",
        "fetched": "transfer",
        "find_inputs": "inputs",
        "in_store": "remote",
        "name_targets": "naming",
        "put": "transfer",
        "put_in_store": "transfer",
        "size_in_store": "remote",
    },
)
