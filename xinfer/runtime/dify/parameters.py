"""What a user set on a model, in Xinference's spelling: nothing more, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xinfer.runtime.openai import BadRequest


def parameters(given: Mapping[str, Any], stop: Sequence[str] | None) -> dict[str, Any]:
    """Hand on the parameters of a call and its stop words.

    :raises BadRequest: ``json_schema`` is asked for, and not given or no JSON.
    """
    written = {
        name: value for name, value in given.items() if name not in _RESPELT and value is not None
    }
    for name, respell in _RESPELT.items():
        if given.get(name) is not None:
            written |= respell(given)
    # An empty stop word would end every answer before it begins.
    words = [word for word in stop or () if word]
    return written | ({"stop": words} if words else {})


def _thinking(given: Mapping[str, Any]) -> dict[str, Any]:
    thinks = given["enable_thinking"]
    # The engines read the first; some versions of the server look for the second.
    return {"chat_template_kwargs": {"enable_thinking": thinks}, "enable_thinking": thinks}


def _response_format(given: Mapping[str, Any]) -> dict[str, Any]:
    kind = given["response_format"]
    if kind != "json_schema":
        return {"response_format": {"type": kind}}
    return {"response_format": {"type": kind, "json_schema": _schema(given.get("json_schema"))}}


def _schema(text: object) -> dict[str, Any]:
    """Read a schema: bare, or already wrapped with a name as OpenAI wants it."""
    try:
        schema = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise BadRequest(
            f"The parameter json_schema is not JSON: {error}.", "参数 json_schema 不是有效的 JSON。"
        ) from None
    if not isinstance(schema, dict) or not schema:
        raise BadRequest(
            "The parameter response_format is json_schema, so json_schema must hold a JSON Schema, "
            f"e.g. {_EXAMPLE}.",
            f"response_format 为 json_schema 时，json_schema 必须填写 JSON Schema，"
            f"例如 {_EXAMPLE}。",
        )
    return schema if "schema" in schema else {"name": "answer", "schema": schema}


_EXAMPLE = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def _nothing(given: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ARG001 (one of several)
    return {}


_RESPELT: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "enable_thinking": _thinking,
    "response_format": _response_format,
    "json_schema": _nothing,  # travels inside response_format
}
