"""What a user set on a model, in the server's spelling: nothing more, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xinfer.runtime.openai import BadRequest
from xinfer.spec import Add, Drop, Map, OpenAICompatible, ParseJson, Rename
from xinfer.spec.dialects import Dialect
from xinfer.spec.runtime import fits

_EXAMPLE = '{"type": "object", "properties": {"city": {"type": "string"}}}'


def parameters(
    chosen: Mapping[str, Any],
    stop: Sequence[str] | None,
    *,
    dialect: Dialect,
    runtime: OpenAICompatible,
    names: Iterable[str],
    body: Mapping[str, Any],
) -> dict[str, Any]:
    """Write the parameters of a call and its stop words.

    :param names: what the model is called.
    :param body: what the credentials add; a parameter overrides it.
    :raises BadRequest: a parameter that must be JSON is not.
    """
    values = {name: value for name, value in chosen.items() if value is not None}
    extra = _json_object("extra_body", values.pop("extra_body", None))
    sent: dict[str, Any] = _response_format(values, dialect, runtime)
    declared: set[str] = set()
    for rule in runtime.sends:
        if not isinstance(rule, Add) and rule.parameter in values and fits(rule.models, names):
            declared.add(rule.parameter)
            value = values.pop(rule.parameter)
            match rule:
                case Map():
                    _merge(sent, rule.values.get(value, {}))
                case ParseJson():
                    values[rule.parameter] = _json(rule.parameter, value)
                case Rename():
                    _place(sent, rule.to, value)
                case Drop():
                    pass
    for name, value in values.items():
        _merge(sent, {name: value} if name in declared else _in_dialect(name, value, dialect))
    # An empty stop word would end every answer before it begins.
    if words := [word for word in stop or () if word]:
        _merge(sent, _in_dialect("stop", words, dialect))
    for rule in runtime.sends:
        if isinstance(rule, Add) and rule.model_type == "llm" and fits(rule.models, names):
            sent = _merged(rule.body, sent)
    return _merged(_merged(body, sent), extra)


def added(runtime: OpenAICompatible, model_type: str, names: Iterable[str]) -> dict[str, Any]:
    """Collect what the declaration adds to the requests of another type of models."""
    body: dict[str, Any] = {}
    for rule in runtime.sends:
        if isinstance(rule, Add) and rule.model_type == model_type and fits(rule.models, names):
            _merge(body, rule.body)
    return body


def schema_prompt(chosen: Mapping[str, Any], runtime: OpenAICompatible) -> str:
    """Write a JSON Schema into words, for servers that take none as a parameter."""
    if runtime.json_schema != "prompt" or chosen.get("response_format") != "json_schema":
        return ""
    schema = _schema(chosen.get("json_schema"))
    text = json.dumps(schema["schema"], ensure_ascii=False)
    return f"Answer with JSON that conforms to this JSON Schema, and with nothing else:\n{text}"


def _in_dialect(name: str, value: Any, dialect: Dialect) -> Mapping[str, Any]:
    if name == "enable_thinking" and dialect.thinking:
        return dialect.thinking.get(value, {})
    if name == "thinking_budget" and dialect.thinking_budget:
        return {dialect.thinking_budget: value}
    spelled = dialect.parameters.get(name, name)
    return {spelled: value} if spelled else {}


def _response_format(
    values: dict[str, Any], dialect: Dialect, runtime: OpenAICompatible
) -> dict[str, Any]:
    kind, schema = values.pop("response_format", None), values.pop("json_schema", None)
    match kind:
        case None:
            return {}
        case "json_schema":
            wrapped = _schema(schema)
            if runtime.json_schema == "prompt":
                return {}
            return {"response_format": {"type": kind, dialect.schema_key: wrapped}}
        case "json_object":
            return {"response_format": dict(dialect.json_object)}
    return {"response_format": {"type": kind}}


def _schema(text: object) -> dict[str, Any]:
    """Read a schema: bare, or already wrapped with a name as OpenAI wants it."""
    schema = _json("json_schema", text) if isinstance(text, str) else text
    if not isinstance(schema, dict) or not schema:
        raise BadRequest(
            "The parameter response_format is json_schema, so json_schema must hold a JSON Schema, "
            f"e.g. {_EXAMPLE}.",
            f"response_format 为 json_schema 时，json_schema 必须填写 JSON Schema，"
            f"例如 {_EXAMPLE}。",
        )
    return schema if "schema" in schema else {"name": "answer", "schema": schema}


def _json(parameter: str, text: object) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadRequest(
            f"The parameter {parameter} is not JSON: {error}.",
            f"参数 {parameter} 不是有效的 JSON：{error}。",
        ) from None


def _json_object(parameter: str, text: object) -> dict[str, Any]:
    if text is None or (isinstance(text, str) and not text.strip()):
        return {}
    value = _json(parameter, text)
    if not isinstance(value, dict):
        raise BadRequest(
            f'The parameter {parameter} must be a JSON object, e.g. {{"top_k": 20}}.',
            f'参数 {parameter} 应为 JSON 对象，例如 {{"top_k": 20}}。',
        )
    return value


def _place(body: dict[str, Any], path: str, value: Any) -> None:
    for key in reversed(path.split(".")[1:]):
        value = {key: value}
    _merge(body, {path.partition(".")[0]: value})


def _merge(body: dict[str, Any], more: Mapping[str, Any]) -> None:
    """Add keys; objects of the same key are joined."""
    for key, value in more.items():
        if isinstance(value, Mapping):
            below = body.get(key)
            body[key] = _merged(below if isinstance(below, dict) else {}, value)
        else:
            body[key] = value


def _merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(body)
    _merge(result, more)
    return result
