"""What the examples of several rules share: a class, and a provider of models that users add."""

MODEL = "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
"""The head of a class that keeps the methods of the plugin that examples change."""

WITHOUT_MODELS = {
    "models/llm/acme-1.yaml": None,
    "models/llm/_position.yaml": None,
    "models/moderation/guard.yaml": None,
}
"""Removes the models of the plugin that examples change."""

MODEL_FORM = """\
model_credential_schema:
  model:
    label:
      en_US: Model
      zh_Hans: 模型
  credential_form_schemas:
    - variable: api_key
      type: secret-input
      label:
        en_US: API key
        zh_Hans: API Key
      required: true
"""


def added_by_users(model_type: str, module: str) -> dict[str, str | None]:
    """Make a plugin whose only models are of one type and added by users."""
    provider = (
        f"supported_model_types:\n  - {model_type}\n"
        "configurate_methods:\n  - customizable-model\n"
        f"models: {{}}\n{MODEL_FORM}"
        f"extra:\n  python:\n    model_sources:\n      - {module}\n"
    )
    return {"provider/acme.yaml": provider, **WITHOUT_MODELS}
