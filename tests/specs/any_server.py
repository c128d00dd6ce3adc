"""Any OpenAI-compatible server: chat, embeddings and rerank of models that users add."""

from datetime import UTC, datetime

from xinfer.spec import *


class Server(Credentials):
    """A model on a server of the user's own."""

    url: str = text_input(label=I18n("Server URL"), converter=openai_url, sets=base_url)
    key: Secret | None = secret_input(label=I18n("API key"), default=None, sets=api_key)
    served_as: str | None = text_input(label=I18n("Model on the server"), default=None, sets=model)
    context: int | None = text_input(label=I18n("Context size"), default=None, validator=gt(0))


CONTEXT = first_of(setting("context"), limit("context_length"), 4096)
THINKING = ParameterType.BOOLEAN

project = Project(
    manifest=Manifest(
        name="any_server",
        version="0.0.1",
        author="me",
        label=I18n("Any server"),
        description=I18n("Models of any OpenAI-compatible server"),
        icon="icon.svg",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
    ),
    provider=Provider(provider="any_server", label=I18n("Any server")),
    credentials=Server,
    runtime=OpenAICompatible(),
    customizable_models=(
        CustomizableModel(
            model_type=ModelType.LLM,
            features={
                Feature.TOOL_CALL: ability("tools", unknown=True),
                Feature.MULTI_TOOL_CALL: ability("tools", unknown=True),
                Feature.STREAM_TOOL_CALL: ability("tools", unknown=True),
                Feature.VISION: ability("vision", unknown=True),
            },
            properties={"mode": "chat", "context_size": CONTEXT},
            parameter_rules=(
                ParameterRule(name="temperature", use_template=Template.TEMPERATURE),
                ParameterRule(name="max_tokens", use_template=Template.MAX_TOKENS, max=CONTEXT),
                ParameterRule(name="enable_thinking", type=THINKING, label=I18n("Thinking")),
            ),
        ),
        CustomizableModel(
            model_type=ModelType.TEXT_EMBEDDING,
            properties={"context_size": CONTEXT, "max_chunks": 32},
        ),
        CustomizableModel(model_type=ModelType.RERANK, properties={"context_size": CONTEXT}),
    ),
)
