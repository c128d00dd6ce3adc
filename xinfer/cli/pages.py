"""A provider's documentation, from its declaration: fields, models, parameters and prices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from xinfer.preview.dialog import TYPE_NAMES
from xinfer.spec import I18n, Model, ParameterRule, Project
from xinfer.spec.credential_field import CredentialField
from xinfer.spec.credentials import fields
from xinfer.spec.form import MODEL_TYPE

_WORDS: Mapping[str, Mapping[str, str]] = {
    "en_US": {
        "fields": "Fields",
        "models": "Models",
        "parameters": "Parameters",
        "field": "Field",
        "required": "Required",
        "default": "Default",
        "values": "Value",
        "for": "For",
        "and": "; ",
        "yes": "yes",
        "no": "no",
        "all": "all models",
        "model": "Model",
        "type": "Type",
        "context": "Context",
        "features": "Features",
        "input": "Input",
        "output": "Output",
        "parameter": "Parameter",
        "range": "Range",
        "secret": "stored encrypted",
        "added": "added by its name",
    },
    "zh_Hans": {
        "fields": "字段",
        "models": "模型",
        "parameters": "参数",
        "field": "字段",
        "required": "必填",
        "default": "默认值",
        "values": "填写内容",
        "for": "适用于",
        "and": "；",
        "yes": "是",
        "no": "否",
        "all": "所有模型",
        "model": "模型",
        "type": "类型",
        "context": "上下文长度",
        "features": "功能",
        "input": "输入价格",
        "output": "输出价格",
        "parameter": "参数",
        "range": "范围",
        "secret": "加密保存",
        "added": "按名称添加",
    },
}


def page(project: Project, language: str = "en_US") -> str:
    """Write the whole page, as Markdown."""
    words = _WORDS[language]
    parts = [f"# {_text(project.provider.label, language)}"]
    if project.manifest.description:
        parts.append(_text(project.manifest.description, language))
    for name, table_of in SECTIONS.items():
        if table := table_of(project, language):
            parts += [f"## {words[name]}", table]
    return "\n\n".join(parts) + "\n"


def updated(text: str, project: Project, language: str) -> str:
    """Replace the tables between a document's marks.

    A table stands between ``<!-- xinfer docs: fields -->`` and ``<!-- xinfer docs: end -->``. The
    last column of the fields is the author's: what it says of a field stays.
    """
    for name, table_of in SECTIONS.items():
        begin = f"<!-- xinfer docs: {name} -->\n"
        before, mark, rest = text.partition(begin)
        old, end, after = rest.partition(_END)
        if mark and end:
            new = table_of(project, language)
            new = _keeping_words(old, new) if name == "fields" else new
            text = f"{before}{mark}{new}\n{end}{after}"
    return text


def _keeping_words(old: str, new: str) -> str:
    """Put the last cell of each row of the old table into the row of the new one."""
    words = {row[0]: row[-1] for row in map(_row, old.splitlines()) if len(row) > 1}
    rows = [[*row[:-1], words.get(row[0], row[-1])] for row in map(_row, new.splitlines())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


_END = "<!-- xinfer docs: end -->"


def _fields(project: Project, language: str) -> str:
    words = _WORDS[language]
    if project.credentials is None:
        return ""
    head = [words[key] for key in ("field", "required", "default", "for", "values")]
    rows = (_field(declared, language) for declared in fields(project.credentials))
    return _table(head, rows)


def _field(declared: CredentialField, language: str) -> list[str]:
    words, form = _WORDS[language], declared.form
    types = [condition.value for condition in form.show_on if condition.variable == MODEL_TYPE]
    options = [_text(option.label, language) for option in form.options]
    default = form.default if form.default is not None else ""
    labels = {option.value: _text(option.label, language) for option in form.options}
    return [
        f"**{_text(form.label, language)}**",
        words["yes"] if form.required else words["no"],
        labels.get(str(default), str(default)),
        ", ".join(TYPE_NAMES.get(kind, kind) for kind in types) or words["all"],
        words["and"].join(
            filter(
                None,
                (
                    _text(form.placeholder, language) if form.placeholder else "",
                    " / ".join(options),
                    words["secret"] if form.type == "secret-input" else "",
                ),
            )
        ),
    ]


def _models(project: Project, language: str) -> str:
    words = _WORDS[language]
    head = [words[key] for key in ("model", "type", "context", "features")]
    priced = any(model.pricing for model in project.models)
    if priced:
        head += [words["input"], words["output"]]
    rows = [_model(model, priced=priced) for model in project.models]
    for model in project.customizable_models:
        features = ", ".join(sorted(model.features))
        rows.append(
            [words["added"], TYPE_NAMES.get(model.model_type, model.model_type), "", features]
        )
    return _table(head, rows) if rows else ""


def _model(model: Model, *, priced: bool) -> list[str]:
    size = model.model_properties.context_size if model.model_properties else None
    row = [
        f"`{model.model}`",
        TYPE_NAMES.get(model.model_type, model.model_type),
        f"{size:,}" if size else "",
        ", ".join(model.features),
    ]
    if priced and model.pricing:
        row += [_price(model.pricing, part) for part in ("input", "output")]
    return row


def _price(pricing: Any, part: str) -> str:
    """Write a price for a million tokens, whatever the unit it is declared in."""
    amount = getattr(pricing, part)
    if amount is None:
        return ""
    million = amount * pricing.unit * 1_000_000
    return f"{million.normalize():f} {pricing.currency} / 1M"


def _parameters(project: Project, language: str) -> str:
    words = _WORDS[language]
    head = [words[key] for key in ("parameter", "default", "range", "for")]
    users: dict[tuple[str, ...], list[str]] = {}
    owners = [
        *((f"`{model.model}`", model.parameter_rules) for model in project.models),
        *((TYPE_NAMES[m.model_type], m.parameter_rules) for m in project.customizable_models),
    ]
    for owner, rules in owners:
        for rule in rules:
            users.setdefault(tuple(_parameter(rule, language)), []).append(owner)
    rows = [[*row, ", ".join(dict.fromkeys(names))] for row, names in users.items()]
    return _table(head, rows) if rows else ""


def _parameter(rule: ParameterRule, language: str) -> list[str]:
    label = f" ({_text(rule.label, language)})" if rule.label else ""
    return [f"`{rule.name}`{label}", _plain(rule.default), _range(rule)]


def _range(rule: ParameterRule) -> str:
    match _plain(rule.min), _plain(rule.max):
        case "", "":
            return ", ".join(rule.options)
        case "", most:
            return f"≤ {most}"
        case least, "":
            return f"≥ {least}"
        case least, most:
            return f"{least} – {most}"


def _plain(value: Any) -> str:
    """Write a number or text; what follows from the model at run time is left open."""
    return str(value) if isinstance(value, int | float | str | bool) else ""


def _text(text: I18n, language: str) -> str:
    return str(getattr(text, language) or text.en_US)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cells(line, len(head)))} |" for line in lines)


def _cells(line: Sequence[str], width: int) -> Iterator[str]:
    for cell in (*line, *[""] * (width - len(line))):
        yield cell.replace("|", "\\|").replace("\n", " ")


SECTIONS: Mapping[str, Callable[[Project, str], str]] = {
    "fields": _fields,
    "models": _models,
    "parameters": _parameters,
}
"""The tables of a page, in order; each is empty if the provider has nothing for it."""
