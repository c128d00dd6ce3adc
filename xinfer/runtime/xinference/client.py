"""A client of Xinference's REST API: OpenAI's, with descriptions and words of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import frozen

from xinfer.runtime.openai.client import Client
from xinfer.runtime.openai.descriptions import ModelDescription
from xinfer.runtime.openai.fixes import Case
from xinfer.runtime.xinference.descriptions import description
from xinfer.runtime.xinference.fixes import CASES
from xinfer.spec.dialects import XINFERENCE, Dialect


@frozen
class XinferenceClient(Client):
    """Talks to one Xinference server; models are named by their uid."""

    dialect: Dialect = XINFERENCE

    cases: ClassVar[tuple[Case, ...]] = CASES
    # The server tells which models run, but not a second time within ten seconds.
    lists_models: ClassVar[re.Pattern[str] | None] = re.compile(r"\(cached, retry after")

    def read_description(self, row: Mapping[str, Any]) -> ModelDescription:
        """Read what the server reports of a model."""
        return description(row)
