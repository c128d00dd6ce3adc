"""A plugin's files to one ``.difypkg``: the same files give the same bytes on every machine."""

from __future__ import annotations

import io
import zipfile

from xinfer.plugin.writer import FileTree

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(tree: FileTree) -> bytes:
    """Put the files into a zip as Dify's daemon reads it: sorted, without entries for folders.

    Entries are stored, not deflated: what deflating gives differs between versions of zlib.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as package:
        for path in sorted(tree, key=str.encode):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.create_system = 0
            entry.external_attr = 0
            package.writestr(entry, tree[path])
    return buffer.getvalue()
