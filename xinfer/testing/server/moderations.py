"""What moderation models of the fake server answer, in OpenAI's shape: Xinference has none."""

from __future__ import annotations

import time
import uuid
from typing import Any

from xinfer.testing.server.answer import Answer, as_json, refusal
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.models import Models

FLAGGED = "forbidden"
"""The word for which a text is flagged."""
_CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence")


def moderate(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/moderations``: a text that contains :data:`FLAGGED` is violent."""
    if not any(model.model_type == "moderation" for model in models.models.values()):
        return refusal(404, "Not Found")
    body = arrived.body if isinstance(arrived.body, dict) else {}
    model = models.model(body.get("model"))
    if model.model_type != "moderation":
        return refusal(400, f"{model.uid} does not moderate")
    texts = body.get("input")
    texts = texts if isinstance(texts, list) else [texts]
    return as_json(
        {
            "id": f"modr-{uuid.uuid4()}",
            "created": int(time.time()),
            "model": model.uid,
            "results": [_result(str(text)) for text in texts],
        }
    )


def _result(text: str) -> dict[str, Any]:
    flagged = FLAGGED in text.lower()
    return {
        "flagged": flagged,
        "categories": {name: flagged and name == "violence" for name in _CATEGORIES},
        "category_scores": {
            name: 0.99 if flagged and name == "violence" else 0.01 for name in _CATEGORIES
        },
    }
