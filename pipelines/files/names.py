"""Names of files, compared as people do."""

import unicodedata


def same_name(name: str) -> str:
    """A name in the one spelling of its accents that all systems agree on (NFC), for comparisons."""
    return unicodedata.normalize("NFC", name)
