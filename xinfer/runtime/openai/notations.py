"""How models write tool calls into their text: data, with the source of each notation.

Servers parse these for the models that they know, and leave them in the text of others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

type Schemas = Mapping[str, Mapping[str, Any]]
"""The schema of the arguments of each tool that was offered."""
type NamedCall = tuple[str, Any]
"""The name of a tool and its arguments: an object, or text that should be one."""


@frozen(kw_only=True)
class Form:
    """How a call is written behind its mark.

    :param begins: matches the beginning of the text behind the mark once it is long enough; a
        group ``name`` must then be that of a tool.
    :param may_begin: matches what may still become such a beginning.
    :param end: closes the call; empty where the JSON in it does.
    :param enough: ends a call that is whole although what closes it is missing.
    :param read: from the text to the calls in it; none if it is not a call.
    """

    begins: re.Pattern[str]
    may_begin: re.Pattern[str]
    end: str = ""
    enough: str = ""
    read: Callable[[str, Schemas], list[NamedCall]]


@frozen(kw_only=True)
class Notation:
    """The marks around a call.

    :param mark: begins a call.
    :param close: may follow a call and is not shown.
    :param source: where the notation is described.
    """

    mark: str
    close: tuple[str, ...] = ()
    forms: tuple[Form, ...]
    source: str


def _from_json(text: str, tools: Schemas) -> list[NamedCall]:  # noqa: ARG001 (of several)
    """Read ``{"name": …, "arguments": …}``, or a list of them."""
    answer = json.loads(text)
    calls = answer if isinstance(answer, list) else [answer]
    return [_of_object(call) for call in calls]


def _of_object(call: Any) -> NamedCall:
    if not isinstance(call, dict):
        raise ValueError("not a call")  # noqa: TRY004 (of a text that is none)
    inner = call.get("function")
    call = inner if isinstance(inner, dict) else call
    name = call.get("name") or inner
    if not isinstance(name, str) or not name:
        raise ValueError("a call without a name")
    return name, next((call[key] for key in ("arguments", "parameters") if key in call), {})


def _of_tool(text: str, tools: Schemas) -> list[NamedCall]:
    """Read a bare object; only the name tells it from an answer that is JSON."""
    calls = _from_json(text, tools)
    return calls if all(name in tools for name, _ in calls) else []


def _named_object(text: str, tools: Schemas) -> list[NamedCall]:  # noqa: ARG001 (of several)
    """Read ``name{…}`` or ``name[ARGS]{…}``."""
    name, brace, rest = text.partition("{")
    return [(name.replace("[ARGS]", "").strip(), json.loads(brace + rest))]


def _parameters(text: str, tools: Schemas) -> list[NamedCall]:
    """Read ``<function=name><parameter=key>value</parameter>…``."""
    name = _FUNCTION.search(text)
    if name is None:
        return []
    pairs = _PARAMETER.findall(text)
    return [(name[1], {key: _value(value, tools, name[1], key) for key, value in pairs})]


def _arg_keys(text: str, tools: Schemas) -> list[NamedCall]:
    """Read ``name<arg_key>key</arg_key><arg_value>value</arg_value>…``."""
    name = text.partition("<")[0].strip()
    pairs = _ARG.findall(text)
    return [(name, {key.strip(): _value(value, tools, name, key.strip()) for key, value in pairs})]


def _deepseek(text: str, tools: Schemas) -> list[NamedCall]:  # noqa: ARG001 (of several)
    return [(name, json.loads(arguments)) for name, arguments in _DEEPSEEK.findall(text)]


def _value(text: str, tools: Schemas, tool: str, key: str) -> Any:
    """Read a value that is written as it is: a text where the tool wants one, else JSON."""
    text = text.removeprefix("\n").removesuffix("\n")
    properties = tools.get(tool, {}).get("properties")
    schema = properties.get(key) if isinstance(properties, dict) else None
    if isinstance(schema, dict) and schema.get("type") == "string":
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


_FUNCTION = re.compile(r"<function=([^>\s]+)>")
_PARAMETER = re.compile(
    r"<parameter=([^>\s]+)>(.*?)(?=</parameter>|<parameter=|</function>|\Z)", re.DOTALL
)
_ARG = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)(?:</arg_value>|\Z)", re.DOTALL)
_DEEPSEEK = re.compile(
    r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)\s*(?:<｜tool▁sep｜>)?\s*"
    r"(?:```json)?\s*(\{.*?\})\s*(?:```)?\s*<｜tool▁call▁end｜>",
    re.DOTALL,
)

_OBJECT = Form(begins=re.compile(r"\s*[{\[]"), may_begin=re.compile(r"\s*\Z"), read=_from_json)
_NAMED_OBJECT = Form(
    begins=re.compile(r"\s*(?P<name>[\w.-]{1,200})\s*(\[ARGS\])?\s*\{"),
    may_begin=re.compile(r"\s*[\w.-]*\s*(\[A?R?G?S?\]?)?\s*\Z"),
    read=_named_object,
)
_XML = Form(
    begins=re.compile(r"\s*<function="),
    may_begin=re.compile(r"\s*(<(f(u(n(c(t(i(o(n)?)?)?)?)?)?)?)?)?\Z"),
    end="</function>",
    enough="</parameter>",
    read=_parameters,
)
_BARE_XML = Form(
    begins=re.compile(r"(?P<name>[^<>\s]{1,200})>"),
    may_begin=re.compile(r"[^<>\s]{0,200}\Z"),
    end="</function>",
    enough="</parameter>",
    read=lambda text, tools: _parameters(f"<function={text}", tools),
)
_GLM = Form(
    begins=re.compile(r"\s*(?P<name>[\w.-]{1,200})\s*<"),
    may_begin=re.compile(r"\s*[\w.-]*\s*\Z"),
    end="</tool_call>",
    enough="</arg_value>",
    read=_arg_keys,
)
_WHOLE_BLOCK = Form(
    begins=re.compile(r""),
    may_begin=re.compile(r"\Z"),
    end="<｜tool▁calls▁end｜>",
    enough="<｜tool▁call▁end｜>",
    read=_deepseek,
)

NOTATIONS: tuple[Notation, ...] = (
    Notation(
        mark="<tool_call>",
        close=("</tool_call>",),
        forms=(_OBJECT, _XML, _GLM),
        source="the chat templates of Qwen2.5 and Hermes (JSON), Qwen3-Coder (XML), GLM-4.5",
    ),
    Notation(
        mark="<function=",
        close=("</tool_call>",),
        forms=(_BARE_XML,),
        source="the chat template of Qwen3-Coder, which models follow without the outer tag",
    ),
    Notation(
        mark="[TOOL_CALLS]",
        forms=(_OBJECT, _NAMED_OBJECT),
        source="mistral-common, tokens of instruct v3 (a list) and v11 (name and arguments)",
    ),
    Notation(
        mark="<|python_tag|>",
        close=("<|eom_id|>", "<|eot_id|>", ";"),
        forms=(_OBJECT,),
        source="the prompt format of Llama 3.1",
    ),
    Notation(
        mark="<｜tool▁calls▁begin｜>",
        forms=(_WHOLE_BLOCK,),
        source="the chat templates of DeepSeek-V3, R1 and V3.1",
    ),
)
BARE = Notation(
    mark="",
    close=("<|eom_id|>", "<|eot_id|>", ";"),
    forms=(
        Form(
            begins=re.compile(r'\s*\{\s*"(name|type|function)"\s*:'),
            may_begin=re.compile(r'\s*(\{\s*("(n(a(m(e"?)?)?)?|t(y(p(e"?)?)?)?|f\w*"?)?\s*)?)?\Z'),
            read=_of_tool,
        ),
    ),
    source="the prompt format of Llama 3.1, which writes custom tools without a mark",
)
"""Only at the beginning of an answer, or behind another call."""


def schemas(tools: Iterable[Any]) -> Schemas:
    """Return the schema of each tool of a request."""
    return dict(_schemas(tools))


def _schemas(tools: Iterable[Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for tool in tools:
        function = tool.get("function") if isinstance(tool, dict) else None
        if isinstance(function, dict) and isinstance(name := function.get("name"), str):
            parameters = function.get("parameters")
            yield name, parameters if isinstance(parameters, dict) else {}
