"""How versions are written: as the daemon reads them, and as the SDK does."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

THREE_NUMBERS = re.compile(r"\d{1,4}\.\d{1,4}\.\d{1,4}(-\w{1,16})?", re.ASCII)
"""A version of a plugin or of its manifest's format, to the daemon."""


def is_pep440(text: str) -> bool:
    """Return whether a text is a version to the SDK."""
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True
