"""The checksum of a plugin, and the identifier under which Dify installs it.

As the daemon computes them: for each file, in the order of the bytes of the paths, SHA-256 of the
path and SHA-256 of the content; the checksum is SHA-256 of all that.
"""

from __future__ import annotations

import hashlib
import os
import re

from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin

_PARTS = re.compile(
    r"[a-z0-9_-]{1,64}/[a-z0-9_-]{1,128}:\d{1,4}\.\d{1,4}\.\d{1,4}(-\w{1,16})?", re.ASCII
)


def checksum(files: PluginFiles) -> str:
    """Compute the checksum; of two files of one path the first counts."""
    whole = hashlib.sha256()
    for path in sorted(files, key=os.fsencode):
        whole.update(hashlib.sha256(os.fsencode(path)).digest())
        whole.update(hashlib.sha256(files[path]).digest())
    return whole.hexdigest()


def identifier(author: str | None, name: str, version: str, digest: str) -> str:
    """Return the identifier of a plugin in Dify, e.g. ``acme/tariff:0.1.0@6c30…``."""
    return f"{author}/{name}:{version}@{digest}" if author else f"{name}:{version}@{digest}"


def require_identifier(author: str, name: str, version: str) -> None:
    """Check that author, name and version are those of an identifier, and so name no other place.

    :raises UnreadablePlugin: Dify would not install them.
    """
    if not _PARTS.fullmatch(f"{author}/{name}:{version}"):
        raise UnreadablePlugin(
            f"{author}/{name}:{version} is not an identifier that Dify installs: "
            "correct author, name or version in manifest.yaml."
        )
