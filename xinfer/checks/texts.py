"""The files of a plugin whose text rules read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_READ = (".py", ".md", ".svg", ".toml", ".lock")
_OUR_RUNTIME = "xinfer/"


def texts_of(contents: Mapping[str, bytes], names: Iterable[str] | None = None) -> dict[str, str]:
    """Read code, documents, drawings and lists of dependencies; bytes that are no text show as �.

    :param names: which files to look at; all of them where not said. What a build carries of
        xinfer itself is no concern of whoever uses it, and left out.
    """
    return {
        name: contents[name].decode(errors="replace")
        for name in (contents if names is None else names)
        if name.endswith(_READ) and not name.startswith(_OUR_RUNTIME)
    }
