"""A request as it arrived, its body parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import frozen


@frozen
class Upload:
    """A file of a multipart body."""

    filename: str
    content_type: str
    content: bytes


@frozen(kw_only=True)
class Arrived:
    """A request.

    :param path: as sent, so percent-encoded and with its query.
    :param headers: names in lower case.
    :param body: the JSON value; for multipart the fields by name, each a ``str`` or an
        :class:`Upload`; ``None`` without a body or when it is neither.
    :param raw: the body's bytes.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    raw: bytes

    @property
    def route(self) -> str:
        """The path without query, decoded as uvicorn does before it looks for a route."""
        return unquote(urlsplit(self.path).path)

    @classmethod
    def read(cls, method: str, path: str, headers: Message, raw: bytes) -> Arrived:
        """Parse a body by its content type."""
        lowered = {name.lower(): value for name, value in headers.items()}
        if headers.get_content_type() == "multipart/form-data":
            body = _form(raw, str(headers.get_boundary()))
        else:
            body = _json(raw)
        return cls(method=method, path=path, headers=lowered, body=body, raw=raw)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _form(raw: bytes, boundary: str) -> dict[str, str | Upload]:
    # The parsers of the standard library's ``email`` would change line ends inside a recording.
    fields: dict[str, str | Upload] = {}
    for part in (b"\r\n" + raw).split(f"\r\n--{boundary}".encode())[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        about = BytesHeaderParser().parsebytes(head)
        name = str(about.get_param("name", header="content-disposition"))
        filename = about.get_filename()
        fields[name] = (
            content.decode()
            if filename is None
            else Upload(filename, about.get_content_type(), content)
        )
    return fields
