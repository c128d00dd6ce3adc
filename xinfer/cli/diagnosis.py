"""What is wrong, or right, with a model server: steps in order, each with what to do.

The steps use the plugin's own client, dialects and errors. So whatever the plugin would report in
Dify is reported here, before anybody adds a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from attrs import evolve, field, frozen

from xinfer.runtime.openai import BadRequest, CallError, Client, Server, fixes
from xinfer.runtime.openai.descriptions import ModelDescription
from xinfer.runtime.openai.redaction import Secrets
from xinfer.runtime.servers import client_class, detect
from xinfer.spec import I18n, Invalid, Model, ModelType, Project, Secret, http_url
from xinfer.spec.conditions import ModelInfo
from xinfer.spec.dialects import Dialect
from xinfer.testing.server import silence

MOST_MODELS = 50
"""Models that are described and tried; a proxy may list thousands."""
TIMEOUT = 60.0

_PASTED = ("/models", "/chat/completions", "/completions", "/embeddings", "/rerank")
"""Endpoints that users paste as the base URL."""

_VERSIONS: Mapping[str, tuple[str, str]] = {
    "xinference": ("/v1/cluster/version", "version"),
    "vllm": ("/version", "version"),
    "sglang": ("/server_info", "version"),
    "llama.cpp": ("/props", "build_info"),
    "ollama": ("/api/version", "version"),
    "localai": ("/version", "version"),
    "tei": ("/info", "version"),
    "tgi": ("/info", "version"),
}
"""Where servers tell their version, by dialect: a path, and a key of the answer."""

_LEAST_VERSIONS: Mapping[str, str] = {"xinference": "0.16.3"}
"""The oldest versions that the plugin was tried with."""


@frozen
class Step:
    """One thing that was looked at.

    :param outcome: ``unknown`` where the server does not tell.
    :param english: what was seen, then what to do.
    :param chinese: the same; empty for a plain fact.
    """

    name: str
    outcome: Literal["ok", "failed", "unknown"]
    english: str
    chinese: str = ""


@frozen(kw_only=True)
class ServedModel:
    """A model of the server, and what the plugin makes of it.

    :param model_type: Dify's; the server's own word where Dify has none, empty where unknown.
    :param offered: what Dify will show of it: features and properties.
    :param tried: the answer to a small call; ``None`` where none was made.
    """

    name: str
    model_type: str
    abilities: tuple[str, ...] = ()
    limits: Mapping[str, int] = field(factory=dict)
    offered: Model | None = None
    tried: Step | None = None


@frozen(kw_only=True)
class Diagnosis:
    """The result of a diagnosis.

    :param base_url: the one that works, where any does.
    """

    steps: tuple[Step, ...]
    base_url: str = ""
    dialect: str = ""
    version: str = ""
    models: tuple[ServedModel, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether nothing failed."""
        tried = (model.tried for model in self.models if model.tried)
        return not any(step.outcome == "failed" for step in (*self.steps, *tried))


def diagnose(
    url: str,
    api_key: Secret | None,
    *,
    project: Project | None = None,
    timeout: float = TIMEOUT,
    verify_tls: bool = True,
    tell: Callable[[Step], None] = lambda _: None,
) -> Diagnosis:
    """Look at a server, one step after the other; the first that fails ends it.

    :param project: its customizable models decide what Dify will offer.
    :param tell: called with each step when it ends.
    """
    steps: list[Step] = []

    def note(step: Step) -> None:
        steps.append(step)
        tell(step)

    try:
        base_url = http_url(without=_PASTED)(url)
    except Invalid as error:
        note(Step("URL", "failed", str(error), error.message.chinese))
        return Diagnosis(steps=tuple(steps))
    server = Server(
        base_url=base_url,
        label=fixes.Text("the server", "服务器"),
        api_key=api_key,
        timeout=timeout,
        max_retries=0,
        verify_tls=verify_tls,
    )
    try:
        server, dialect = _reached(server, note)
    except CallError as error:
        note(_failed("Reach", error))
        return Diagnosis(steps=tuple(steps), base_url=base_url)
    client = client_class(dialect)(server, dialect=dialect)
    note(Step("Dialect", "ok", dialect.name))
    version = _version(client, note)
    models = []
    for name, row in _listed(client, note).items():
        model = _without(server.secrets, _model(client, name, row, project))
        if model.tried:
            tell(model.tried)
        models.append(model)
    return Diagnosis(
        steps=tuple(steps),
        base_url=server.base_url,
        dialect=dialect.name,
        version=version,
        models=tuple(models),
    )


def _without(secrets: Secrets, model: ServedModel) -> ServedModel:
    """Hide the key in what the server tells of a model: it may repeat it anywhere."""
    hide, tried, offered = secrets.hide, model.tried, model.offered
    name = hide(model.name)
    return evolve(
        model,
        name=name,
        model_type=hide(model.model_type),
        abilities=tuple(map(hide, model.abilities)),
        offered=offered and evolve(offered, model=name, label=I18n(name)),
        tried=tried and evolve(tried, name=hide(tried.name), english=hide(tried.english)),
    )


def _failed(name: str, error: CallError) -> Step:
    return Step(name, "failed", error.english, error.chinese)


def _reached(server: Server, note: Callable[[Step], None]) -> tuple[Server, Dialect]:
    """Find the base URL that answers, and the dialect that is spoken there.

    :raises CallError: nothing answers, or it refuses the key.
    """
    first: CallError | None = None
    for candidate in _candidates(server.base_url):
        dialect = detect(evolve(server, base_url=candidate))
        # A version part that the client adds by itself need not be entered.
        url = candidate.removesuffix(dialect.version) if dialect.version else candidate
        tried = evolve(server, base_url=url)
        client = client_class(dialect)(tried, dialect=dialect)
        try:
            if dialect.models:
                client.models()
        except BadRequest as error:
            first = first or error
            continue
        if url == server.base_url:
            note(Step("Reach", "ok", url))
        else:
            note(
                Step(
                    "Reach",
                    "ok",
                    f"{url} answers, {server.base_url} does not: enter {url}.",
                    f"可用的地址是 {url}，而不是 {server.base_url}：请填写 {url}。",
                )
            )
        return tried, dialect
    assert first is not None  # noqa: S101 (there is a candidate at least, and it was refused)
    raise first


def _candidates(url: str) -> Iterator[str]:
    """Yield the URL, and the same with the version part, or without."""
    yield url
    path = urlsplit(url).path
    if path.endswith("/v1"):
        yield url.removesuffix("/v1")
    else:
        yield f"{url}/v1"


def _version(client: Client, note: Callable[[Step], None]) -> str:
    path, key = _VERSIONS.get(client.dialect.name, ("", ""))
    try:
        version = str(client.ask(path).get(key) or "") if path else ""
        version = client.server.secrets.hide(version)
    except CallError:
        version = ""
    least = _LEAST_VERSIONS.get(client.dialect.name)
    if not version:
        note(Step("Version", "unknown", "The server does not tell its version."))
    elif least and _numbers(version) < _numbers(least):
        note(
            Step(
                "Version",
                "failed",
                f"{version} is older than {least}, the oldest version that was tried: update it.",
                f"版本 {version} 过旧（最低测试版本为 {least}）：请升级服务器。",
            )
        )
    else:
        note(Step("Version", "ok", version))
    return version


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.lstrip("v").split("+")[0].split("-")[0].split(".")
    return tuple(int(part) for part in parts if part.isdecimal())


def _listed(client: Client, note: Callable[[Step], None]) -> dict[str, Mapping[str, Any]]:
    if client.dialect.models is None:
        name = _only_model(client)
        note(Step("Models", "ok", name))
        return {name: {}}
    try:
        rows = client.models()
    except CallError as error:
        note(_failed("Models", error))
        return {}
    if not rows:
        note(_without_models(client))
    else:
        more = f", the first {MOST_MODELS} are tried" if len(rows) > MOST_MODELS else ""
        note(Step("Models", "ok", f"{len(rows)}{more}"))
    return dict(list(rows.items())[:MOST_MODELS])


def _without_models(client: Client) -> Step:
    """Describe a server without models: it runs none, or is not a model server."""
    if isinstance(client.ask(client.dialect.models or "").get("data"), list):
        english = "No model runs: start one on the server."
        return Step("Models", "failed", english, "没有正在运行的模型：请先在服务器上启动模型。")
    text = fixes.CHECK_URL.format(label=fixes.Text("a model server", "模型服务器"))
    return Step("Models", "failed", text.english, text.chinese)


def _only_model(client: Client) -> str:
    """Name the model of a server that runs one and has no list."""
    try:
        return str(client.ask("/info").get("model_id") or "model")
    except CallError:
        return "model"


def _model(
    client: Client, name: str, row: Mapping[str, Any], project: Project | None
) -> ServedModel:
    try:
        description = client.describe(name, fresh=True)
    except CallError as error:
        description = client.read_description(row)
        return ServedModel(name=name, model_type=description.task, tried=_failed(name, error))
    kind = description.task or _guess(client.dialect)
    return ServedModel(
        name=name,
        model_type=kind,
        abilities=tuple(sorted(description.abilities)),
        limits=dict(description.limits),
        offered=_offered(name, kind, description, project),
        tried=_tried(client, name, kind, description),
    )


def _guess(dialect: Dialect) -> str:
    """Guess that a model of which the server reports nothing is of the most frequent type."""
    return str(ModelType.TEXT_EMBEDDING if dialect.name in ("tei", "infinity") else ModelType.LLM)


def _offered(
    name: str, kind: str, description: ModelDescription, project: Project | None
) -> Model | None:
    models = project.customizable_models if project else ()
    declared = next((model for model in models if model.model_type == kind), None)
    if declared is None:
        return None
    info = ModelInfo(
        abilities=description.abilities, lacks=description.lacks, limits=description.limits
    )
    return declared.resolve(name, info)


def _tried(client: Client, name: str, kind: str, description: ModelDescription) -> Step | None:
    call = _CALLS.get(kind)
    if call is None:
        return Step(name, "unknown", f"Dify has no use for a model for {kind}.")
    try:
        return Step(name, "ok", call(client, name, description))
    except CallError as error:
        return _failed(name, error)


def _chat(client: Client, name: str, description: ModelDescription) -> str:
    if "generate" in description.abilities and "chat" not in description.abilities:
        client.complete(name, "Hi", {"max_tokens": 1})
        return "completes a text"
    client.chat(name, [{"role": "user", "content": "Hi"}], {"max_tokens": 1})
    return "answers a message"


def _embed(client: Client, name: str, _: ModelDescription) -> str:
    (vector,) = client.embed(name, ["Hi"]).vectors
    return f"embeds a text in {len(vector)} dimensions"


def _rerank(client: Client, name: str, _: ModelDescription) -> str:
    client.rerank(name, "cat", ["a cat", "a car"])
    return "scores two documents"


def _transcribe(client: Client, name: str, _: ModelDescription) -> str:
    client.transcribe(name, "silence.wav", silence.wav(0.5))
    return "transcribes half a second of silence"


def _speak(client: Client, name: str, _: ModelDescription) -> str:
    size = sum(map(len, client.speak(name, "Hi.", "", stream=False)))
    return f"speaks {size} bytes"


_CALLS: Mapping[str, Callable[[Client, str, ModelDescription], str]] = {
    ModelType.LLM: _chat,
    ModelType.TEXT_EMBEDDING: _embed,
    ModelType.RERANK: _rerank,
    ModelType.SPEECH2TEXT: _transcribe,
    ModelType.TTS: _speak,
}
"""The smallest call of each type."""
