"""What serves a plugin's models in place of Python of its own: ``Project(runtime=…)``.

.. code-block:: python

    runtime = OpenAICompatible(
        base_url="https://api.example.com/v1",
        validated_by=("small-model",),
        sends=(
            Map("enable_thinking", {True: {"thinking": {"type": "enabled"}}, False: {}}),
            Rename("max_tokens", "max_completion_tokens", models=("o1*",)),
            Drop("temperature", models=("*-reasoner",)),
        ),
        messages=Messages(merge=True, reasoning="with_tools"),
        user=EndUser(max_length=32),
    )

``models`` are patterns of model names, as in a shell (``o1*``); case does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any, Literal

from attrs import field, frozen

from xinfer.spec.conditions import Condition, Expression, always
from xinfer.spec.declaration import Declaration
from xinfer.spec.dialects import DIALECTS, Dialect
from xinfer.spec.models import ModelType

_ANY = ("*",)


@frozen
class Rename(Declaration):
    """Send a parameter under another name.

    :param to: dots lead into an object: ``reasoning.effort``.
    """

    parameter: str
    to: str
    models: tuple[str, ...] = field(default=_ANY, kw_only=True)


@frozen
class Drop(Declaration):
    """Do not send a parameter."""

    parameter: str
    models: tuple[str, ...] = field(default=_ANY, kw_only=True)


@frozen
class Map(Declaration):
    """Send other keys of the body for each value of a parameter; a value not listed sends none."""

    parameter: str
    values: Mapping[Any, Mapping[str, Any]]
    models: tuple[str, ...] = field(default=_ANY, kw_only=True)


@frozen
class ParseJson(Declaration):
    """Send a parameter that users write as JSON text as the value it stands for."""

    parameter: str
    models: tuple[str, ...] = field(default=_ANY, kw_only=True)


@frozen
class Add(Declaration):
    """Add keys to the body, unless a parameter sets them.

    :param model_type: of the models whose requests get them.
    """

    body: Mapping[str, Any]
    models: tuple[str, ...] = field(default=_ANY, kw_only=True)
    model_type: ModelType = field(default=ModelType.LLM, kw_only=True)


Sending = Rename | Drop | Map | ParseJson | Add


@frozen(kw_only=True)
class Messages(Declaration):
    """How a conversation is written.

    :param merge: join neighbours of one role, for servers that demand that roles alternate.
    :param drop_empty: leave messages without content and calls out.
    :param system: where system messages may stand: ``anywhere``; in one message, ``first``;
        as a ``user`` message; ``none``, left out.
    :param reasoning: when earlier thoughts are sent back: ``auto``, where the dialect has a key
        for them; ``always`` and ``with_tools``, under that key or ``reasoning_content``;
        ``never``. They are taken out of the text in any case.
    """

    merge: bool = False
    drop_empty: bool = False
    system: Literal["anywhere", "first", "user", "none"] = "anywhere"
    reasoning: Literal["auto", "always", "with_tools", "never"] = "auto"
    models: tuple[str, ...] = _ANY


@frozen(kw_only=True)
class EndUser(Declaration):
    """Tell the server which of Dify's users a call is for.

    :param key: of the body.
    :param max_length: characters; a longer identifier is cut.
    :param when: the condition for it, e.g. ``setting("send_user") == True``.
    """

    key: str = "user"
    max_length: int | None = None
    when: Condition = always


@frozen(kw_only=True)
class Embedding(Declaration):
    """How texts are embedded.

    :param query: added to the body when a query is embedded, e.g. ``{"input_type": "query"}``.
    :param document: likewise for documents.
    :param query_prefix: put in front of each query, e.g. ``"query: "``.
    :param document_prefix: put in front of each document.
    :param truncate: the condition for cutting texts that are longer than the model takes, by the
        server where it can, else by the estimate.
    :param encoding_format: of the vectors, where it is not the dialect's.
    """

    query: Mapping[str, Any] = field(factory=dict)
    document: Mapping[str, Any] = field(factory=dict)
    query_prefix: str | Expression | None = None
    document_prefix: str | Expression | None = None
    truncate: Condition | None = None
    encoding_format: Literal["base64", "float"] | None = None
    models: tuple[str, ...] = _ANY


@frozen(kw_only=True)
class Rerank(Declaration):
    """How documents are scored.

    :param scores: ``server``, as the server gives them; ``sigmoid``, which brings logits to the
        range 0 to 1 that Dify's thresholds are in; or ``dialect``, whichever of the two suits
        the server.
    :param body: added to every request.
    """

    scores: Literal["server", "sigmoid", "dialect"] | Expression = "server"
    body: Mapping[str, Any] = field(factory=dict)
    models: tuple[str, ...] = _ANY


@frozen(kw_only=True)
class Speech(Declaration):
    """How texts are spoken.

    :param clones: voices taken from recordings, in the form of
        :func:`~xinfer.spec.clones.cloned_voices`; the first is the default voice.
    :param instructions: how to speak, for models that take a description of it.
    """

    clones: str | Expression | None = None
    instructions: str | Expression | None = None
    models: tuple[str, ...] = _ANY


@frozen
class ModelList(Declaration):
    """Credentials are valid if the server lists its models; a model, if it is in the list."""


@frozen
class Endpoint(Declaration):
    """Credentials are valid if a GET of this path succeeds.

    :param path: relative to the base URL; one that needs no key proves nothing.
    """

    path: str


@frozen(kw_only=True)
class OpenAICompatible(Declaration):
    """Any server that speaks OpenAI's protocol, self-hosted or hosted.

    :param base_url: where the server is, up to the version part (``https://host/v1``), for users
        whose credentials do not set it; several are tried in order when credentials are
        validated, and the first that works is used.
    :param dialect: the server's own habits, by name (``vllm``) or as a record; ``auto`` looks
        once, when credentials are validated.
    :param headers: sent with every request.
    :param query: parameters of every URL.
    :param validated_by: how a provider's credentials are validated: by a small call of the first
        of these models that the key may use (the declared ones, if none is named), by the list
        of models, or by a path. 401 refuses a key at once. A model may be one that users name:
        ``setting("validate_model")``; without an entry, the next one counts.
    :param model_names: the server's names of models that are called otherwise in Dify.
    :param sends: what happens to parameters, in order.
    :param messages: how conversations are written; of several, the first whose ``models`` fit.
    :param user: how the end user is told; not at all without it.
    :param exact_tokens: the condition for asking the server to count a prompt's tokens, where
        Dify needs the number before a call; without it they are estimated.
    :param json_schema: whether a JSON Schema travels as a parameter or is written into the prompt.
    :param embedding: how texts are embedded; of several, the first whose ``models`` fit.
    :param rerank: how documents are scored, likewise.
    :param speech: how texts are spoken, likewise.
    :param classes: Python of the plugin's own that serves a model type, ``module:Class``, made
        from the runtime's class.
    """

    base_url: str | tuple[str, ...] | None = None
    dialect: str | Dialect = "auto"
    headers: Mapping[str, str] = field(factory=dict)
    query: Mapping[str, str] = field(factory=dict)
    validated_by: tuple[str | Expression, ...] | ModelList | Endpoint = ()
    model_names: Mapping[str, str] = field(factory=dict)
    sends: tuple[Sending, ...] = ()
    messages: Messages | tuple[Messages, ...] = ()
    user: EndUser | None = None
    exact_tokens: Condition | None = None
    json_schema: Literal["parameter", "prompt"] = "parameter"
    embedding: Embedding | tuple[Embedding, ...] = ()
    rerank: Rerank | tuple[Rerank, ...] = ()
    speech: Speech | tuple[Speech, ...] = ()
    classes: Mapping[ModelType, str] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Refuse an unknown dialect and a class that is not named as ``module:Class``.

        :raises ValueError: names the nearest dialect, or all of them.
        """
        if isinstance(self.dialect, str) and self.dialect not in ("auto", *DIALECTS):
            near = get_close_matches(self.dialect, DIALECTS, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"the dialects are {', '.join(DIALECTS)}"
            )
            raise ValueError(f"there is no dialect {self.dialect!r}: {hint}")
        for kind, path in self.classes.items():
            module, _, name = path.partition(":")
            if not all(map(str.isidentifier, (*module.split("."), name))):
                raise ValueError(
                    f'classes[{kind}] is {path!r}: write the module and the class, e.g. "own:Model"'
                )

    @property
    def base_urls(self) -> tuple[str, ...]:
        """The base URLs to try, in order."""
        urls = self.base_url or ()
        return (urls,) if isinstance(urls, str) else urls


@frozen(kw_only=True)
class Xinference(OpenAICompatible):
    """A Xinference server: its model descriptions, abilities and error words."""

    dialect: str | Dialect = "xinference"


def matching[D: Messages | Embedding | Rerank | Speech](
    declared: D | tuple[D, ...], names: Iterable[str], otherwise: D
) -> D:
    """Choose the first declaration that fits one of a model's names."""
    several = declared if isinstance(declared, tuple) else (declared,)
    return next((each for each in several if fits(each.models, names)), otherwise)


def fits(patterns: Iterable[str], names: Iterable[str]) -> bool:
    """Return whether one of a model's names has one of the patterns."""
    lowered = [name.lower() for name in names if name]
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns for name in lowered)
