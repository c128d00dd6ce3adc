"""Models: predefined ones, which YAML files describe, and ones that users add."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal

from attrs import field, frozen

from xinfer.spec.conditions import Condition, Expression, ModelInfo, value_of
from xinfer.spec.declaration import Declaration, evolve, span_from
from xinfer.spec.i18n import I18n


class ModelType(StrEnum):
    """What a model does; the SDK refuses the two ``multimodal-*`` types, the daemon accepts all."""

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
    """What a model can do beyond its type; the SDK refuses any other word."""

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
    """Where the description of a model comes from."""

    PREDEFINED_MODEL = "predefined-model"
    CUSTOMIZABLE_MODEL = "customizable-model"


class ParameterType(StrEnum):
    """The type of a parameter; ``text`` is a string of several lines."""

    FLOAT = "float"
    INT = "int"
    STRING = "string"
    BOOLEAN = "boolean"
    TEXT = "text"


class Template(StrEnum):
    """The parameters that Dify describes itself; a rule's own keys override the description.

    The descriptions have limits: ``temperature`` ends at 1, ``max_tokens`` at 2048, and is 64 by
    default.
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
    """A voice of a text-to-speech model.

    :param mode: its id, as the server takes it.
    :param name: as Dify shows it.
    :param language: the languages that it speaks, e.g. ``zh-Hans``, ``en-US``.
    """

    mode: str
    name: str
    language: tuple[str, ...]


@frozen(kw_only=True)
class ModelProperties(Declaration):
    """The properties of a model that Dify's own code uses.

    :param mode: of an LLM: messages, or a text to complete.
    :param context_size: tokens.
    :param max_chunks: texts in one call of an embedding model.
    :param file_upload_limit: megabytes of an audio file.
    :param supported_file_extensions: separated by commas.
    :param word_limit: characters in one call of a text-to-speech model.
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

    :param name: the key in ``model_parameters``, 1 to 255 characters.
    :param use_template: Dify's description to take type, label, limits and help from.
    :param type: required without a template.
    :param required: whether Dify sends the default if the user sets no value.
    :param default: what the dialog offers; of the rule's type.
    :param precision: decimals of a float; the SDK refuses a call with a value of more.
    :param options: the strings that are accepted, for type string.
    :param when: the condition under which a customizable model has the parameter.

    ``default``, ``min`` and ``max`` of a customizable model's rule can be expressions.

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
    """What tokens cost: their number times ``input`` or ``output`` times ``unit``.

    A Decimal is written as a text, as most providers write it, and a float as a number.

    :param unit: ``Decimal("0.000001")`` for prices per million tokens.
    :param currency: e.g. USD, RMB.
    """

    input: Decimal | float
    output: Decimal | float | None = None
    unit: Decimal | float
    currency: str


@frozen(kw_only=True)
class VariablePricing(Declaration):
    """What tokens cost, if users enter it; a model without an input price has no pricing.

    Each part is an expression, or a value that holds for every model.
    """

    input: Expression
    output: Expression | Decimal | None = None
    unit: Expression | Decimal
    currency: Expression | str

    def resolve(self, info: ModelInfo) -> Pricing | None:
        """Evaluate the prices for a model; ``None`` if no input price is known."""
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
    """A model, as its YAML file or the answer to a schema request describes it.

    :param model: its name in the provider's API, 1 to 255 characters.
    :param label: what Dify shows; the name if absent.
    :param features: at most 256.
    :param parameter_rules: at most 128.
    :param deprecated: hides the model from new apps; old ones go on.
    :param file: of the YAML of a predefined model, if not ``models/<type>/<model>.yaml``.

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
    """A description of every model of one type that users add.

    :param features: each with the condition under which a model has it.
    :param properties: fields of :class:`ModelProperties` by name, as values or expressions.
    :param parameter_rules: a model has those whose ``when`` holds.
    :param pricing: what tokens cost, if users enter it.
    """

    model_type: ModelType
    features: Mapping[Feature, Condition] = field(factory=dict)
    properties: Mapping[str, Any] = field(factory=dict)
    parameter_rules: tuple[ParameterRule, ...] = ()
    pricing: VariablePricing | None = None

    def resolve(self, model: str, info: ModelInfo) -> Model:
        """Complete the description for one model."""
        with span_from(self):  # at run time, the frames of a call tell nothing
            return self._resolved(model, info)

    def _resolved(self, model: str, info: ModelInfo) -> Model:
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
