"""What a server reports of its models: its list of them, and its answers about each.

Every method raises :class:`~xinfer.runtime.openai.errors.CallError`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

import requests
from attrs import frozen

from xinfer.runtime.openai import answers, fixes, limits
from xinfer.runtime.openai.body import json_value, read
from xinfer.runtime.openai.cache import Cache
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.connection import Server
from xinfer.runtime.openai.descriptions import ModelDescription, description, enumerated
from xinfer.runtime.openai.errors import BadRequest, CallError, NotAuthorized, ServerUnavailable
from xinfer.runtime.openai.fixes import Case
from xinfer.runtime.openai.hooks import NO_HOOKS, Hooks
from xinfer.runtime.openai.text import shortened, whole
from xinfer.spec.dialects import OPENAI, Dialect, Question

_descriptions: Cache[ModelDescription] = Cache(limits.DESCRIPTIONS)
_VERSION = re.compile(r"/v\d[^/]*$")


@frozen
class Catalog:
    """Asks one server about its models, which are named as the server names them."""

    server: Server
    dialect: Dialect = OPENAI
    hooks: Hooks = NO_HOOKS

    cases: ClassVar[tuple[Case, ...]] = fixes.CASES
    """What to do about refused calls."""
    lists_models: ClassVar[re.Pattern[str] | None] = None
    """Words of a refusal, other than of an unknown path, that the list of models explains."""

    def read_description(self, row: Mapping[str, Any]) -> ModelDescription:
        """Read what the server tells of a model: a row of its list, or an answer of its own."""
        return description(row)

    def hide(self, text: str) -> str:
        """Remove the secrets of this server from a text that users see, and shorten it."""
        return shortened(self.server.secrets.hide(whole(text)), limits.LISTING)

    def describe(self, model: str, *, fresh: bool = False) -> ModelDescription:
        """Ask what a model is; the answer is cached for a minute.

        :param fresh: ask anew, as when a user adds the model.
        """
        if fresh:
            return self._describe(model)
        key = (self.server, self.dialect, model)
        return _descriptions.get(key, lambda: self._describe(model))

    def _describe(self, model: str) -> ModelDescription:
        description = self._listed(model)
        for question in self.dialect.questions:
            description = description.completed_by(self._answer_to(question, model))
        return description

    def _answer_to(self, question: Question, model: str) -> ModelDescription:
        """Ask what else the server tells; a server that does not answer that tells nothing."""
        path = question.path.format(model=quote(model, safe=""))
        call = self._call(path, model)
        body = question.body and {
            key: text.format(model=model) for key, text in question.body.items()
        }
        try:
            response = self.server.send("POST" if body else "GET", call, json=body or None)
            answer = read_object(response, call, limits.DESCRIPTION)
        except (BadRequest, NotAuthorized, ServerUnavailable):
            return ModelDescription()
        rows = answer.get(question.rows) if question.rows else [answer]
        matching = (
            row
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict) and (not question.rows or row.get(question.id) == model)
        )
        return self.read_description(self.hooks.describe(dict(next(matching, {}))))

    def _listed(self, model: str) -> ModelDescription:
        """Read what the list of models, or the description of one, tells."""
        if self.dialect.model is None or not _fits_a_path(model):
            row = self._row(model) if self.dialect.models else {}
            return self.read_description(self.hooks.describe(dict(row)))
        path = self.dialect.model.format(model=quote(model, safe=""))
        call = self._call(path, model)
        try:
            response = self.server.send("GET", call)
        except BadRequest as error:
            # A path with an encoded slash leads nowhere on some servers that have such models.
            rows = self._models_or_none()
            if rows is None:
                raise self._explained(error, call) from None
            if model in rows:
                return self.read_description(self.hooks.describe(dict(rows[model])))
            raise self._naming(error, rows) from None
        row = read_object(response, call, limits.DESCRIPTION)
        return self.read_description(self.hooks.describe(row))

    def _row(self, model: str) -> Mapping[str, Any]:
        """Find a model in the list; a server that has none, or not for this key, tells nothing."""
        try:
            return self.models().get(model) or {}
        except (BadRequest, NotAuthorized, ServerUnavailable):
            return {}

    def models(self) -> dict[str, Mapping[str, Any]]:
        """List the models: what the server tells of each, by its id."""
        call = self._call(self.dialect.models or "", "")
        return answers.listed(read_object(self.server.send("GET", call), call, limits.DESCRIPTION))

    def ask(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for what has no method of its own, with a GET, or a POST; the answer is an object."""
        call = self._call(path, str((body or {}).get("model", "")))
        response = self.server.send("POST" if body else "GET", call, json=body)
        return read_object(response, call, limits.DESCRIPTION)

    def reach(self, path: str) -> None:
        """Make sure that a GET succeeds, whatever it answers."""
        self.server.send("GET", self._call(path, ""))

    def _models_or_none(self) -> dict[str, Mapping[str, Any]] | None:
        try:
            return self.models()
        except CallError:
            return None

    def _call(self, path: str, model: str, kind: str = "") -> Call:
        return Call(
            label=self.server.label,
            url=self._url(path),
            model=model,
            kind=kind,
            cases=self.cases,
            secrets=self.server.secrets,
        )

    def _url(self, path: str) -> str:
        base, version = self.server.base_url.rstrip("/"), self.dialect.version
        if path.startswith("/"):
            return _VERSION.sub("", base) + path
        return f"{base.removesuffix(version)}{version}/{path}"

    def _naming(self, error: CallError, rows: Mapping[str, Mapping[str, Any]]) -> CallError:
        """Name the models that there are."""
        return error.adding(*map(self.hide, enumerated(rows, self.read_description)))

    def _explained(self, error: CallError, call: Call) -> CallError:
        """Point at the URL if the server does not know the path: it, not the model, is wrong."""
        return call.checking_url(error) if _NO_ROUTE.search(error.english) else error


def _fits_a_path(model: str) -> bool:
    """Return whether a path can hold a name; with others it would lead elsewhere, or be cut."""
    return model not in (".", "..") and len(model) <= limits.NAME


def read_object(response: requests.Response, call: Call, limit: int) -> dict[str, Any]:
    """Read an answer that is a JSON object and no error."""
    answer = read_value(response, call, limit)
    if not isinstance(answer, dict):
        raise call.unreadable("something unexpected", "意料之外的内容")
    return answer


def read_value(
    response: requests.Response, call: Call, limit: int, *, numbers: bool = False
) -> Any:
    """Read an answer that is JSON and no error.

    :param numbers: most of it may be numbers.
    """
    answer = json_value(read(response, call, limit), call, numbers=numbers)
    if isinstance(answer, dict) and (error := answers.error_in(answer)):
        raise call.answered_error(error)
    return answer


_NO_ROUTE = re.compile(r"answered 404: (?!.*\bmodel\b.*not found)", re.IGNORECASE)
