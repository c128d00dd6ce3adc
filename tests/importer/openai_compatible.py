"""The small plugin with Python that fills in the SDK's OpenAI-compatible classes."""

from importer.small import SMALL

LLM = """\
from dify_plugin import OAICompatLargeLanguageModel
from dify_plugin.entities.model.llm import LLMMode

URL = "https://api.acme.example/v1"


class AcmeLargeLanguageModel(OAICompatLargeLanguageModel):
    \"\"\"Models of Acme.\"\"\"

    def _invoke(self, model, credentials, prompt_messages, model_parameters, *args):
        self._add_custom_parameters(credentials)
        return super()._invoke(model, credentials, prompt_messages, model_parameters, *args)

    def validate_credentials(self, model: str, credentials: dict) -> None:
        self._add_custom_parameters(credentials)
        super().validate_credentials(model, credentials)

    @staticmethod
    def _add_custom_parameters(credentials: dict) -> None:
        credentials["mode"] = LLMMode.CHAT.value
        {set_url}
"""
SET_URL = 'credentials["endpoint_url"] = URL'
PROVIDER = """\
from dify_plugin import ModelProvider
from dify_plugin.entities.model import ModelType


class AcmeProvider(ModelProvider):
    def validate_provider_credentials(self, credentials: dict) -> None:
        model = self.get_model_instance(ModelType.LLM)
        model.validate_credentials(model="first", credentials=credentials)
"""
FORM = """\
provider_credential_schema:
  credential_form_schemas:
    - {variable: api_key, label: {en_US: Key}, type: secret-input, required: true}
    - {variable: endpoint_url, label: {en_US: URL}, type: text-input, required: false}
"""
MODEL_FORM = """\
model_credential_schema:
  model: {label: {en_US: Model}}
  credential_form_schemas:
    - {variable: api_key, label: {en_US: Key}, type: secret-input, required: true}
    - {variable: endpoint_url, label: {en_US: URL}, type: text-input, required: false}
    - {variable: context_size, label: {en_US: Size}, type: text-input, required: true,
       default: '4096'}
    - variable: function_calling_type
      label: {en_US: Tools}
      type: select
      required: false
      default: no_call
      options:
        - {value: no_call, label: {en_US: None}}
        - {value: tool_call, label: {en_US: Tools}}
"""
_START, _, _REST = SMALL["provider/acme.yaml"].partition("provider_credential_schema:\n")
FILES = {
    **SMALL,
    "provider/acme.yaml": _START + FORM + _REST[_REST.index("models:\n") :],
    "provider/acme.py": PROVIDER,
    "models/llm/llm.py": LLM.replace("{set_url}", SET_URL),
    "models/llm/first.yaml": SMALL["models/llm/first.yaml"].replace(
        "[vision]", "[vision, tool-call]"
    ),
}
