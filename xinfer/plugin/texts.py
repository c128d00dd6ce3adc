"""The files of a plugin whose text rules read."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Mapping

from xinfer.plugin.unwanted import tool_folder
from xinfer.spec.span import Span

_READ = (".py", ".md", ".svg", ".toml", ".lock", "requirements.txt")
_ENCODINGS = {"utf-8-sig", "iso-8859-1", "ascii", "cp1252", "gbk", "gb18030", "big5", "shift_jis"}
"""The encodings that Python may declare; codecs that are slow for long texts are left out."""
_OUR_RUNTIME = "xinfer/"


def texts_of(contents: Mapping[str, bytes]) -> dict[str, str]:
    """Read the author's code, documents, drawings and lists of dependencies.

    Undecodable bytes become �; in code they become lone surrogates, which Python does not accept.
    """
    return {
        name: decoded(name, contents[name])
        for name in contents
        if name.endswith(_READ) and is_own(name)
    }


def is_own(path: str) -> bool:
    """Return whether a file is the author's: not of the copy of xinfer, and not left by a tool."""
    return not path.startswith(_OUR_RUNTIME) and not tool_folder(path)


def decoded(name: str, content: bytes) -> str:
    """Decode a file, Python by the encoding that it declares, in the way of :func:`texts_of`."""
    if not name.endswith(".py"):
        return content.decode(errors="replace")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(encoding if encoding in _ENCODINGS else "utf-8")
    except (SyntaxError, ValueError):
        # Python reads no such text either; the rules must see that.
        text = content.decode(errors="surrogateescape")
    return text


def span_in(file: str, text: str, start: int, end: int) -> Span:
    """Make the span of a part of a file's text."""
    first, last = (_place(text, offset) for offset in (start, end))
    return Span(file, *first, *last)


def _place(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
