"""Models: predefined ones, written to YAML, and customizable ones, completed at run time."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from attrs import field, frozen

from xinfer.spec.conditions import Condition, Expression, ModelInfo, value_of
from xinfer.spec.declaration import Declaration, evolve
from xinfer.spec.i18n import I18n


class ModelType(StrEnum):
    """What a model does. The daemon knows all nine; the SDK refuses the ``multimodal-*`` two."""

    LLM = "llm"
    TEXT_EMBEDDING = "text-embedding"
    RERANK = "rerank"
    SPEECH2TEXT = "speech2text"
    MODERATION = "moderation"
    TTS = "tts"
    TEXT2IMG = "text2img"
    MULTIMODAL_EMBEDDING = "multimodal-embedding"
    MULTIMODAL_RERANK = "multimodal-rerank"


class Feature(StrEnum):
    """What a model can do beyond its type. The SDK refuses any other word."""

    TOOL_CALL = "tool-call"
    MULTI_TOOL_CALL = "multi-tool-call"
    STREAM_TOOL_CALL = "stream-tool-call"
    AGENT_THOUGHT = "agent-thought"
    VISION = "vision"
    DOCUMENT = "document"
    VIDEO = "video"
    AUDIO = "audio"
    STRUCTURED_OUTPUT = "structured-output"
    POLLING = "polling"


class FetchFrom(StrEnum):
    """Where a model's schema comes from."""

    PREDEFINED_MODEL = "predefined-model"
    CUSTOMIZABLE_MODEL = "customizable-model"


class ParameterType(StrEnum):
    """What a parameter holds; ``text`` is a string of several lines."""

    FLOAT = "float"
    INT = "int"
    STRING = "string"
    BOOLEAN = "boolean"
    TEXT = "text"


class Template(StrEnum):
    """The parameters that Dify describes by itself; keys of a rule's own override them.

    Mind the limits they bring: temperature ends at 1, max_tokens at 2048 with default 64.
    """

    TEMPERATURE = "temperature"
    TOP_P = "top_p"
    TOP_K = "top_k"
    PRESENCE_PENALTY = "presence_penalty"
    FREQUENCY_PENALTY = "frequency_penalty"
    MAX_TOKENS = "max_tokens"
    RESPONSE_FORMAT = "response_format"
    JSON_SCHEMA = "json_schema"


@frozen(kw_only=True)
class Voice(Declaration):
    """A voice of a text-to-speech model: its id, the name shown, the languages it speaks."""

    mode: str
    name: str
    language: tuple[str, ...]


@frozen(kw_only=True)
class ModelProperties(Declaration):
    """The info of a model that Dify's own code uses.

    :param mode: how an LLM is talked to.
    :param context_size: tokens.
    :param max_chunks: texts in one embedding call.
    :param file_upload_limit: megabytes.
    :param supported_file_extensions: separated by commas.
    :param word_limit: characters in one speech call.
    :param audio_type: of the speech: mp3, wav, ogg, aac or mp4.

    Source: ``ModelPropertyKey`` of the SDK, which refuses any other key.
    """

    mode: Literal["chat", "completion"] | None = None
    context_size: int | None = None
    max_chunks: int | None = None
    file_upload_limit: int | None = None
    supported_file_extensions: str | None = None
    max_characters_per_chunk: int | None = None
    default_voice: str | None = None
    voices: tuple[Voice, ...] | None = None
    word_limit: int | None = None
    audio_type: str | None = None
    max_workers: int | None = None


@frozen(kw_only=True)
class ParameterRule(Declaration):
    """One parameter that users set on a model.

    :param name: 1 to 255 characters; what arrives in ``model_parameters``.
    :param use_template: takes type, label, limits and help from Dify's template of that name.
    :param type: required unless there is a template.
    :param required: without a value, the default is sent.
    :param default: of the rule's type; not sent when the user leaves the parameter out.
    :param precision: decimals of a float; a value with more is refused at the call.
    :param options: the strings accepted, for type string.
    :param when: on a customizable model, the condition for the rule to exist.

    ``default``, ``min`` and ``max`` of a customizable model's rule may be terms.

    Source: ``ParameterRule`` of the daemon and of the SDK; at most 128 rules a model.
    """

    name: str
    use_template: Template | None = None
    label: I18n | None = None
    type: ParameterType | None = None
    help: I18n | None = None
    required: bool = False
    default: float | int | str | bool | Expression | None = None
    min: float | int | Expression | None = None
    max: float | int | Expression | None = None
    precision: int | None = None
    options: tuple[str, ...] = ()
    when: Condition | None = None


@frozen(kw_only=True)
class Pricing(Declaration):
    """What tokens cost: ``tokens x input x unit``.

    :param unit: ``Decimal("0.000001")`` makes the prices per million tokens. A Decimal is written
        as a text, as most providers do, and a float as a number.
    :param currency: e.g. USD, RMB.
    """

    input: Decimal | float
    output: Decimal | float | None = None
    unit: Decimal | float
    currency: str


@frozen(kw_only=True)
class VariablePricing(Declaration):
    """What tokens cost where users enter it; a model without an input price has none.

    Each part is an expression, or a value that holds for every model.
    """

    input: Expression
    output: Expression | Decimal | None = None
    unit: Expression | Decimal
    currency: Expression | str

    def resolve(self, info: ModelInfo) -> Pricing | None:
        """Evaluate; ``None`` where no price is known."""
        price, output, unit = (
            None if value is None else Decimal(str(value))
            for value in (value_of(part, info) for part in (self.input, self.output, self.unit))
        )
        if price is None or unit is None:
            return None
        currency = str(value_of(self.currency, info) or "USD")
        return Pricing(input=price, output=output, unit=unit, currency=currency)


@frozen(kw_only=True)
class Model(Declaration):
    """A model as its YAML file, or the answer to a schema request, describes it.

    :param model: 1 to 255 characters; what the provider's API calls it.
    :param label: shown instead of the name; Dify shows the name without it.
    :param features: at most 256.
    :param deprecated: hides it from new users, keeps it working for old ones.
    :param file: where a predefined model is written, where that is not
        ``models/<type>/<model>.yaml``.

    Source: ``AIModelEntity`` (SDK), ``ModelDeclaration`` (daemon).
    """

    model: str
    label: I18n | None = None
    model_type: ModelType
    features: tuple[Feature, ...] = ()
    fetch_from: FetchFrom = FetchFrom.PREDEFINED_MODEL
    model_properties: ModelProperties
    parameter_rules: tuple[ParameterRule, ...] = ()
    pricing: Pricing | None = None
    deprecated: bool = False
    file: str | None = None


@frozen(kw_only=True)
class CustomizableModel(Declaration):
    """What holds of every model of one type that a user adds by hand.

    :param features: each with the condition under which a model has it.
    :param properties: fields of :class:`ModelProperties` by name, as values or expressions.
    :param parameter_rules: those whose ``when`` holds apply.
    :param pricing: what tokens cost, where users enter it.
    """

    model_type: ModelType
    features: Mapping[Feature, Condition] = field(factory=dict)
    properties: Mapping[str, Any] = field(factory=dict)
    parameter_rules: tuple[ParameterRule, ...] = ()
    pricing: VariablePricing | None = None

    def resolve(self, model: str, info: ModelInfo) -> Model:
        """Complete the description for one model."""
        properties = {name: value_of(value, info) for name, value in self.properties.items()}
        if names := properties.get("voices"):
            properties["voices"] = tuple(map(_voice, names))
        return Model(
            model=model,
            label=I18n(model),
            model_type=self.model_type,
            features=tuple(name for name, when in self.features.items() if when.holds(info)),
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_properties=ModelProperties(**properties),
            parameter_rules=tuple(
                _resolved_rule(rule, info)
                for rule in self.parameter_rules
                if rule.when is None or rule.when.holds(info)
            ),
            pricing=self.pricing.resolve(info) if self.pricing else None,
        )


def _voice(voice: Voice | str) -> Voice:
    return voice if isinstance(voice, Voice) else Voice(mode=voice, name=voice, language=())


def _resolved_rule(rule: ParameterRule, info: ModelInfo) -> ParameterRule:
    low, high = value_of(rule.min, info), value_of(rule.max, info)
    default = value_of(rule.default, info)
    if isinstance(default, int | float) and high is not None:
        # A small model may allow less than the default that suits the others.
        default = min(default, high)
    return evolve(rule, min=low, max=high, default=default, when=None)
