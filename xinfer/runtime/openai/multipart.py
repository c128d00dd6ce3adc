"""Forms with a file, sent as they are read: a recording of 24 MB is never held twice."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator, Mapping
from typing import IO, Any

from xinfer.runtime.openai import limits


class Form:
    """A ``multipart/form-data`` body; each iteration reads the file from its beginning.

    :param fields: texts, by name.
    :param name: of the field that holds the file.
    :param file_name: as the server is told.
    """

    def __init__(
        self, fields: Mapping[str, Any], name: str, file_name: str, file: bytes | IO[bytes]
    ) -> None:
        self._file: IO[bytes] = io.BytesIO(file) if isinstance(file, bytes) else file
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        texts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(key)}"\r\n\r\n'
            f"{value}\r\n"
            for key, value in fields.items()
        )
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"; '
            f'filename="{_quoted(file_name)}"\r\nContent-Type: application/octet-stream\r\n\r\n'
        )
        self._head = (texts + head).encode("utf-8", "replace")
        self._tail = f"\r\n--{boundary}--\r\n".encode()
        self._size = self._file.seek(0, os.SEEK_END)

    def __len__(self) -> int:
        return len(self._head) + self._size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        yield self._head
        self._file.seek(0)
        left = self._size
        while left and (piece := self._file.read(min(left, limits.PIECE))):
            left -= len(piece)
            yield piece
        yield self._tail


def _quoted(name: str) -> str:
    """Write a name as browsers do."""
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
