"""Rules of predefined models: names, files, properties, features."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, is_absent, rule
from xinfer.rules.values import did_you_mean
from xinfer.schema import fields_of
from xinfer.spec import Feature, Model, ModelProperties, ModelType, Project, Template, Voice
from xinfer.spec.conditions import is_expression
from xinfer.spec.project import MODEL_FOLDERS, model_file

_LONGEST = 255
_MOST_RULES, _MOST_FEATURES = 128, 256
_TEMPLATE_MAXIMUM = 2048
_LONG_CONTEXT = 16_384
_POSITIVE = ("context_size", "max_chunks", "word_limit", "max_workers", "file_upload_limit")
PROPERTIES = fields_of(ModelProperties).keys()
"""The properties that the SDK knows."""
_DAEMON = "daemon pkg/entities/plugin_entities/model_declaration.go: ModelDeclaration"
_SDK = "sdk entities/model/schema.py"
_VOICES = "voices: [{mode: ann, name: Ann, language: [en-US]}]"


def _speech(properties: str) -> dict[str, str]:
    """Write an example with a text-to-speech model."""
    return {
        "provider/acme.yaml": "supported_model_types: [llm, moderation, tts]\n"
        "models:\n  llm: {predefined: [models/llm/*.yaml], position: models/llm/_position.yaml}\n"
        "  moderation: {predefined: [models/moderation/*.yaml]}\n"
        "  tts: {predefined: [models/tts/*.yaml]}\n"
        "extra:\n  python:\n    provider_source: provider/acme.py\n    model_sources:\n"
        "      - models/llm/llm.py\n      - models/moderation/moderation.py\n"
        "      - models/tts/tts.py\n",
        "models/tts/tts.yaml": f"model: acme-voice\nmodel_type: tts\n{properties}\n",
        "models/tts/tts.py": SPEECH_PYTHON,
    }


SPEECH_PYTHON = """\
import requests
from dify_plugin import TTSModel
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
)


class AcmeSpeech(TTSModel):
    def validate_credentials(self, model, credentials):
        try:
            requests.get("https://example.com", params=credentials, timeout=10)
        except requests.RequestException as error:
            raise CredentialsValidateFailedError(str(error)) from error

    def _invoke(self, model, tenant_id, credentials, content_text, voice, user=None):
        response = requests.get("https://example.com", params=credentials, timeout=9, stream=True)
        yield from response.iter_content(4096)

    @property
    def _invoke_error_mapping(self):
        return {
            InvokeConnectionError: [requests.ConnectionError],
            InvokeAuthorizationError: [],
            InvokeBadRequestError: [ValueError],
        }
"""


@rule(
    "XI401",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DAEMON}, of the answer to get_ai_model_schemas",
    bad=({"models/llm/acme-1.yaml": f"model: «{'m' * 256}»\n", "models/llm/_position.yaml": "[]"},),
    good=({"models/llm/acme-1.yaml": f"model: {'m' * 255}\n", "models/llm/_position.yaml": "[]"},),
    fix="Use 1 to 255 characters.",
)
def model_name_length(model: Model, _: Plugin) -> Iterator[Problem]:
    """A model's name is empty or has more than 255 characters; the daemon does not describe it."""
    count = len(model.model)
    if not 0 < count <= _LONGEST:
        yield Problem(f"the name has {count} characters, not 1 to {_LONGEST}", at="model")


@rule(
    "XI402",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk interfaces/model/ai_model.py: AIModel.get_model_schema, the map by name",
    bad=(
        {
            "models/llm/again.yaml": "model: «acme-1»\nmodel_type: llm\n"
            "model_properties: {mode: chat, context_size: 4096}\n"
        },
    ),
    good=(
        {
            "models/llm/again.yaml": "model: acme-2\nmodel_type: llm\n"
            "model_properties: {mode: chat, context_size: 4096}\n"
        },
    ),
    fix="Remove all but one.",
)
def duplicate_model(project: Project, _: Plugin) -> Iterator[Problem]:
    """Two models of a type have the same name, and the SDK uses the last."""
    first: dict[tuple[ModelType, str], Model] = {}
    for index, model in enumerate(project.models):
        key = (model.model_type, model.model)
        if other := first.get(key):
            message = f"another model of type {model.model_type} is called {model.model!r}, too"
            related = (other.span,) if other.span else ()
            yield Problem(message, at=f"models[{index}].model", of=model, related=related)
        first.setdefault(key, model)


_TWO = """\
models = (
    Model(
        model="a/b",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=8192),
    ),
    Model(
        model={},
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=8192),
    ),
    Model(model="guard", model_type=ModelType.MODERATION, model_properties=ModelProperties()),
)
"""


@rule(
    "XI403",
    Severity.REFUSED,
    Stage.BUILD,
    source="xinfer.spec.model_file",
    bad=({"provider_spec.py": _TWO.format('«"a:b"»')},),
    good=({"provider_spec.py": _TWO.format('"a.b"')},),
    fix='Pass file="models/….yaml" for one of them.',
)
def same_file(project: Project, plugin: Plugin) -> Iterator[Problem]:
    """Two models would be written into one file.

    A file's name is the model's, with a hyphen for each character other than letters, digits, `_`,
    `.` and `-`; on some systems upper and lower case are the same.
    """
    first: dict[str, Model] = {}
    for index, model in enumerate(project.models):
        if model.file is None and model.model_type not in MODEL_FOLDERS:
            continue
        path = model_file(model)
        other = first.setdefault(path.casefold(), model)
        if other is not model and other.model != model.model:
            message = f"{other.model!r} and {model.model!r} are both written to {path}"
            related = (other.span,) if other.span else ()
            yield Problem(message, at=f"models[{index}].model", of=model, related=related)


def _one_model(more: str) -> str:
    return (
        'models = (\n    Model(\n        model="acme-1",\n        model_type=ModelType.LLM,\n'
        '        model_properties=ModelProperties(mode="chat", context_size=8192),\n'
        f"        {more}\n    ),\n"
        '    Model(model="guard", model_type=ModelType.MODERATION,\n'
        "          model_properties=ModelProperties()),\n)\n"
    )


_PARAMETER = 'parameter_rules=(ParameterRule(name="n", type=ParameterType.INT, {}),),'


@rule(
    "XI404",
    Severity.REFUSED,
    Stage.BUILD,
    source="xinfer.spec: expressions are for customizable models",
    bad=(
        {"provider_spec.py": _one_model(_PARAMETER.format('max=«limit("context_length")»'))},
        {"provider_spec.py": _one_model(_PARAMETER.format('when=«ability("vision")»'))},
    ),
    good=({"provider_spec.py": _one_model(_PARAMETER.format("max=8192"))},),
    fix="Write the value, or declare a CustomizableModel.",
)
def open_value(model: Model, _: Plugin) -> Iterator[Problem]:
    """A predefined model has a value that only the server knows, which no YAML can hold.

    Expressions such as `limit("context_length")` and conditions are for customizable models.
    """
    for index, declared in enumerate(model.parameter_rules):
        for name in ("default", "min", "max"):
            if is_expression(getattr(declared, name)):
                message = f"the {name} of {declared.name} is an expression"
                yield Problem(message, at=f"parameter_rules[{index}].{name}")
        if declared.when is not None:
            message = f"the parameter {declared.name} has a condition"
            yield Problem(message, at=f"parameter_rules[{index}].when")


_DRAWING = 'models = (Model(model="a", model_type={}, model_properties=ModelProperties()),)\n'


@rule(
    "XI405",
    Severity.REFUSED,
    Stage.BUILD,
    source="daemon pkg/plugin_packager/decoder/helper.go: Manifest",
    bad=({"provider_spec.py": _DRAWING.format("«ModelType.TEXT2IMG»")},),
    good=({"provider_spec.py": _DRAWING.format("ModelType.MODERATION")},),
    fix=f"Declare models of type {', '.join(MODEL_FOLDERS)}.",
)
def type_without_folder(project: Project, _: Plugin) -> Iterator[Problem]:
    """A predefined model is of a type that neither the daemon nor the SDK reads from files."""
    for index, model in enumerate(project.models):
        if model.model_type not in MODEL_FOLDERS and model.file is None:
            message = f"no file can hold a model of type {model.model_type}"
            yield Problem(message, at=f"models[{index}].model_type", of=model)


@rule(
    "XI406",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk interfaces/model/text_embedding_model.py, tts_model.py",
    bad=("model_properties:\n  context_size: «0»\n", "model_properties:\n  max_chunks: «-1»\n"),
    good=("model_properties:\n  context_size: 1\n",),
    fix="Write a positive number, or leave it out.",
)
def property_not_positive(properties: ModelProperties, _: Plugin) -> Iterator[Problem]:
    """A size or a number is zero or negative, where code divides by it or counts in its steps."""
    for name in _POSITIVE:
        value = getattr(properties, name)
        if value is not None and value <= 0:
            yield Problem(f"{name} is {value}", at=name)


@rule(
    "XI412",
    Severity.REFUSED,
    Stage.START,
    source=f"{_SDK}: ModelPropertyKey",
    bad=("model_properties:\n  contex_size: «4096»\n",),
    good=("model_properties:\n  context_size: 4096\n",),
    fix="Correct its spelling, or leave it out.",
)
def property_key(properties: ModelProperties, _: Plugin) -> Iterator[Problem]:
    """A model has a property that the SDK does not know, which stops the whole plugin."""
    for key in properties.extra_keys:
        if key not in PROPERTIES:
            near = did_you_mean(key, PROPERTIES) or f"; the properties are {', '.join(PROPERTIES)}"
            yield Problem(f"{key} is not a property of a model{near}", at=key)


@rule(
    "XI414",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify api/core/app/apps/agent_chat/app_runner.py: Invalid LLM mode",
    bad=(
        {
            "models/llm/old.yaml": "model: old\nmodel_type: llm\n"
            "model_properties: «{context_size: 4096}»\n"
        },
    ),
    good=("model_properties:\n  mode: completion\n",),
    fix=Fix(spec='Pass mode="chat".', yaml="Add mode: chat."),
)
def mode_missing(model: Model, _: Plugin) -> Iterator[Problem]:
    """A language model has no mode: apps use it as a completion model, and agents fail."""
    if model.model_type is ModelType.LLM and is_absent(model.model_properties, "mode"):
        yield Problem(f"{model.model} has no mode", at="model_properties")


@rule(
    "XI407",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/memory, workflow nodes: the rest of the context is computed from it",
    bad=(
        {"models/llm/old.yaml": "model: old\nmodel_type: llm\nmodel_properties: «{mode: chat}»\n"},
    ),
    good=("model_properties:\n  context_size: 8192\n",),
    fix=Fix(spec="Pass context_size=… in tokens.", yaml="Add context_size: in tokens."),
)
def context_size_missing(model: Model, _: Plugin) -> Iterator[Problem]:
    """A language model has no context size, so Dify cannot shorten a long history."""
    if model.model_type is ModelType.LLM and is_absent(model.model_properties, "context_size"):
        yield Problem(f"{model.model} has no context_size", at="model_properties")


@rule(
    "XI413",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_SDK}: PARAMETER_RULE_TEMPLATE",
    bad=(
        "model_properties:\n  context_size: 16384\n"
        "parameter_rules:\n  - «name: max_tokens\n    use_template: max_tokens»\n",
    ),
    good=(
        "model_properties:\n  context_size: 16383\n"
        "parameter_rules:\n  - name: max_tokens\n    use_template: max_tokens\n",
        "model_properties:\n  context_size: 16384\n"
        "parameter_rules:\n  - name: max_tokens\n    use_template: max_tokens\n    max: 8192\n",
    ),
    fix=Fix(
        spec="Pass max=… with as much as the model can write.",
        yaml="Add max: with as much as the model can write.",
    ),
)
def template_maximum(model: Model, _: Plugin) -> Iterator[Problem]:
    """max_tokens ends at 2048, as in Dify's template, though the context is far longer."""
    context = model.model_properties.context_size or 0
    for index, declared in enumerate(model.parameter_rules):
        of_template = declared.use_template is Template.MAX_TOKENS and declared.max is None
        if of_template and context >= _LONG_CONTEXT:
            text = f"{declared.name} ends at {_TEMPLATE_MAXIMUM}, of a context of {context}"
            yield Problem(text, at=f"parameter_rules[{index}].max")


@rule(
    "XI408",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk interfaces/model/tts_model.py: get_tts_model_voices; "
    "daemon pkg/entities/model_entities/tts.go",
    bad=(
        _speech("model_properties: «{audio_type: mp3}»"),
        _speech(f"model_properties: {{default_voice: «bob», {_VOICES}}}"),
    ),
    good=(_speech(f"model_properties: {{default_voice: ann, {_VOICES}}}"),),
    fix="Declare voices, and one of them as default_voice.",
)
def voices_missing(model: Model, _: Plugin) -> Iterator[Problem]:
    """A text-to-speech model has no voices, or not its default one.

    Unless the plugin's own code lists voices, the SDK answers with null, and the daemon refuses it.
    """
    properties = model.model_properties
    if model.model_type is not ModelType.TTS or "voices" in properties.extra_keys:
        return
    voices = [voice.mode for voice in properties.voices or ()]
    if not voices:
        yield Problem(f"{model.model} has no voices", at="model_properties")
    elif properties.default_voice is not None and properties.default_voice not in voices:
        message = (
            f"the default voice {properties.default_voice!r} is not one of {', '.join(voices)}"
        )
        yield Problem(message, at="model_properties.default_voice")


@rule(
    "XI409",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="daemon pkg/entities/model_entities/tts.go",
    bad=(_speech("model_properties: {voices: [{mode: «''», name: Ann, language: [en-US]}]}"),),
    good=(_speech(f"model_properties: {{{_VOICES}}}"),),
    fix="Write the voice's id.",
)
def voice_empty(voice: Voice, _: Plugin) -> Iterator[Problem]:
    """A voice has no id, so the daemon refuses the list of voices."""
    if not voice.mode:
        yield Problem(f"the voice {voice.name!r} has no id", at="mode")


@rule(
    "XI410",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DAEMON}, of the answer to get_ai_model_schemas",
    bad=(
        "parameter_rules: «[" + ", ".join(f"{{name: p{n}, type: int}}" for n in range(129)) + "]»",
    ),
    good=(
        "parameter_rules: [" + ", ".join(f"{{name: p{n}, type: int}}" for n in range(128)) + "]",
    ),
    fix="Leave some out.",
)
def too_many_of_model(model: Model, _: Plugin) -> Iterator[Problem]:
    """A model has more than 128 parameters or 256 features; the daemon refuses to describe it."""
    for name, most in (("parameter_rules", _MOST_RULES), ("features", _MOST_FEATURES)):
        count = len(getattr(model, name))
        if count > most:
            yield Problem(f"the model has {count} {name}; at most {most} are allowed", at=name)


@rule(
    "XI411",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/agent: ModelFeature.TOOL_CALL and MULTI_TOOL_CALL",
    bad=("features: «[stream-tool-call]»\n",),
    good=("features: [stream-tool-call, tool-call]\n",),
    fix=Fix(
        spec="Add Feature.TOOL_CALL or Feature.MULTI_TOOL_CALL.",
        yaml="Add tool-call or multi-tool-call.",
    ),
)
def idle_stream_tool_call(model: Model, _: Plugin) -> Iterator[Problem]:
    """A model calls tools only in a stream, so Dify offers it none."""
    calls = {Feature.TOOL_CALL, Feature.MULTI_TOOL_CALL}
    if Feature.STREAM_TOOL_CALL in model.features and not calls & set(model.features):
        yield Problem("stream-tool-call has no effect without tool-call", at="features")


_SCHEMA = "parameter_rules:\n  - name: {}\n    use_template: {}\n"


@rule(
    "XI415",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify api/core/llm_generator/output_parser/structured_output.py; "
    "sdk interfaces/model/large_language_model.py: _validate_and_filter_model_parameters",
    bad=("features: «[tool-call, structured-output]»\n",),
    good=(
        "features: [structured-output]\n" + _SCHEMA.format("json_schema", "json_schema"),
        "features: [structured-output]\n" + _SCHEMA.format("schema", "json_schema"),
    ),
    fix=Fix(
        spec='Add ParameterRule(name="json_schema", use_template=Template.JSON_SCHEMA).',
        yaml="Add a parameter rule with name: json_schema and use_template: json_schema.",
    ),
)
def schema_not_accepted(model: Model, _: Plugin) -> Iterator[Problem]:
    """A model offers structured output, and has no parameter that takes the schema.

    Dify sends the schema as the parameter json_schema alone, and the SDK drops parameters that
    are not declared.
    """
    if Feature.STRUCTURED_OUTPUT in model.features and not _takes_schema(model):
        yield Problem("structured-output needs the parameter json_schema", at="features")


@rule(
    "XI416",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="graphon 0.8.0 model_runtime/entities/model_entities.py: AIModelEntity",
    bad=("features: «[tool-call]»\n" + _SCHEMA.format("json_schema", "json_schema"),),
    good=("features: [structured-output]\n" + _SCHEMA.format("json_schema", "json_schema"),),
    fix=Fix(spec="Add Feature.STRUCTURED_OUTPUT.", yaml="Add the feature structured-output."),
)
def schema_not_offered(model: Model, _: Plugin) -> Iterator[Problem]:
    """A model takes a JSON schema, and does not offer structured output.

    Older versions of Dify inferred the feature; newer ones write the schema into the prompt.
    """
    if model.features and Feature.STRUCTURED_OUTPUT not in model.features and _takes_schema(model):
        yield Problem("json_schema goes with the feature structured-output", at="features")


def _takes_schema(model: Model) -> bool:
    return any(
        declared.name == "json_schema" or declared.use_template is Template.JSON_SCHEMA
        for declared in model.parameter_rules
    )


RULES = (
    model_name_length,
    duplicate_model,
    same_file,
    open_value,
    type_without_folder,
    property_not_positive,
    property_key,
    mode_missing,
    context_size_missing,
    template_maximum,
    voices_missing,
    voice_empty,
    too_many_of_model,
    idle_stream_tool_call,
    schema_not_accepted,
    schema_not_offered,
)
