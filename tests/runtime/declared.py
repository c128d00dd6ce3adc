"""A project whose runtime is declared, for a server that runs."""

from datetime import UTC, datetime

from xinfer.spec import (
    Credentials,
    I18n,
    Manifest,
    Model,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    ParameterRule,
    ParameterType,
    Project,
    Provider,
    Secret,
    api_key,
    base_url,
    secret_input,
    text_input,
)


class Account(Credentials):
    key: Secret | None = secret_input(label=I18n("Key"), default=None, sets=api_key)
    url: str | None = text_input(label=I18n("URL"), default=None, sets=base_url)
    validate_model: str | None = text_input(label=I18n("Model"), default=None)


RULES = tuple(
    ParameterRule(name=name, type=kind, label=I18n(name))
    for kind, names in {
        ParameterType.INT: ("max_tokens",),
        ParameterType.FLOAT: ("temperature", "top_p"),
        ParameterType.BOOLEAN: ("enable_thinking",),
        ParameterType.STRING: ("reasoning_effort", "response_format"),
        ParameterType.TEXT: ("search", "extra_body", "json_schema"),
    }.items()
    for name in names
)


def model(name, kind=ModelType.LLM, **properties):
    model_properties = ModelProperties(**({"mode": "chat", "context_size": 4096} | properties))
    rules = RULES if kind is ModelType.LLM else ()
    return Model(
        model=name, model_type=kind, model_properties=model_properties, parameter_rules=rules
    )


MODELS = (
    model("m"),
    model("o1-mini"),
    model("writer", mode="completion"),
    model("m", ModelType.TEXT_EMBEDDING, mode=None, max_chunks=2),
    model("m", ModelType.RERANK, mode=None),
)


def project(server, *, models=MODELS, **runtime):
    runtime = {"base_url": server.base_url, "dialect": "openai"} | runtime
    return Project(
        manifest=Manifest(
            name="p",
            version="0.0.1",
            author="a",
            label=I18n("P"),
            description=I18n("P"),
            icon="i.svg",
            created_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
        provider=Provider(provider="p", label=I18n("Prov")),
        credentials=Account,
        models=models,
        runtime=OpenAICompatible(**runtime),
    )


def serving(base, server, **runtime):
    return type("Own", (base,), {"project": project(server, **runtime)})([])
