"""Which server answers at a base URL, and the client that speaks its dialect."""

from __future__ import annotations

from collections.abc import Mapping

from xinfer.runtime.openai import BadRequest, Client, NotAuthorized, Server, ServerUnavailable
from xinfer.runtime.xinference import XinferenceClient
from xinfer.spec.dialects import DIALECTS, OPENAI, XINFERENCE, Dialect

_CLIENTS: Mapping[str, type[Client]] = {XINFERENCE.name: XinferenceClient}
"""The dialects whose descriptions and words need a client of their own."""


def client_class(dialect: Dialect) -> type[Client]:
    """Choose the client for a dialect."""
    return _CLIENTS.get(dialect.name, Client)


def detect(server: Server) -> Dialect:
    """Recognise a server by the owners in its list of models, else by what else it answers.

    :raises CallError: it cannot be reached.
    """
    client = Client(server)
    try:
        rows = list(client.models().values())
    except (BadRequest, NotAuthorized, ServerUnavailable):
        rows = []
    owners = {str(row.get("owned_by") or "").lower() for row in rows}
    for dialect in DIALECTS.values():
        if owners & set(dialect.owned_by) and dialect is not OPENAI:
            return dialect
    signed = (dialect for dialect in DIALECTS.values() if dialect.signature)
    return next((dialect for dialect in signed if _shows(client, dialect)), OPENAI)


def _shows(client: Client, dialect: Dialect) -> bool:
    path, key = dialect.signature or ("", "")
    try:
        return key in client.ask(path)
    except (BadRequest, NotAuthorized, ServerUnavailable):
        return False
