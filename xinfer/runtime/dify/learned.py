"""What validation finds out, kept in the stored credentials so that no call asks for it again.

Dify stores what ``validate_credentials`` leaves in the credentials it is given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

from attrs import field, frozen

from xinfer.runtime.openai import ModelDescription, Server
from xinfer.runtime.servers import client_class
from xinfer.spec.dialects import DIALECTS, OPENAI, Dialect

KEY = "xinfer_learned"


@frozen(kw_only=True)
class Learned:
    """What validation has learned of a server and a model.

    :param base_url: the base URL that worked.
    :param dialect: the name of the dialect that was recognised.
    :param description: what the server reports of the model; ``None`` for a provider.
    """

    base_url: str
    dialect: Dialect
    description: ModelDescription | None = field(default=None)

    @classmethod
    def read(
        cls, stored: Mapping[str, Any], of: tuple[str, str], declared: Dialect | None
    ) -> Self | None:
        """Read what validation stored; ``None`` if it is of another server or model.

        :param of: base URL and model that the credentials name now.
        :param declared: the dialect, where it is not to be recognised.
        """
        try:
            record = json.loads(stored.get(KEY) or "null")
        except (TypeError, ValueError):
            return None
        if not isinstance(record, dict) or record.get("of") != list(of):
            return None
        dialect = declared or DIALECTS.get(str(record.get("dialect")), OPENAI)
        description: ModelDescription | None = None
        if "model_type" in record:  # stored by version 0.1.0, in the server's own form
            client = client_class(dialect)(Server(base_url=of[0]))
            description = client.read_description(record)
        elif "task" in record:
            description = ModelDescription.from_json(record)
        return cls(
            base_url=str(record.get("base_url") or of[0]), dialect=dialect, description=description
        )

    def write(self, stored: dict[str, Any], of: tuple[str, str]) -> None:
        """Keep it in credentials."""
        description = self.description.to_json() if self.description else {}
        record = {**description, "of": of, "base_url": self.base_url, "dialect": self.dialect.name}
        stored[KEY] = json.dumps(record, ensure_ascii=False)
