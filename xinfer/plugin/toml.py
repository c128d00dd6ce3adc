"""TOML read within bounds: ``tomllib`` nests as deep as a file does, and copies each long key."""

from __future__ import annotations

import re
import tomllib
from typing import Any

MAX_BYTES = 256 * 1024
"""Of a pyproject.toml; those of published plugins have some 2 KiB."""

_PART = r"""(?:[\w-]++|"[^"\n]*"|'[^'\n]*')"""
_LONG_KEY = re.compile(rf"(?<![\w-])(?:{_PART}[ \t]*\.[ \t]*){{64}}")
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)| \(at end of document\)")


class NotTOML(ValueError):
    """A text is not TOML, or too large or deep to be read; ``str`` says why."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def read_toml(text: str) -> dict[str, Any]:
    """Parse a pyproject.toml.

    :raises NotTOML: it is not TOML, or nests deeper than uv reads.
    """
    if len(text) > MAX_BYTES:
        raise NotTOML(f"larger than {MAX_BYTES // 1024} KiB")
    if long := _LONG_KEY.search(text):
        raise NotTOML("a key of more than 64 parts", text.count("\n", 0, long.start()) + 1)
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise NotTOML("it nests too deep") from None
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        numbers = map(int, place.groups()) if place and place[1] else (1, 1)
        raise NotTOML(_PLACE.sub("", message), *numbers) from None
    except ValueError:
        raise NotTOML("a number has more digits than Python reads") from None
