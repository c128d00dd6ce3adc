"""``xinfer import --declare-runtime``: Python that only fills in the SDK's classes is declared."""

import pytest
from click.testing import CliRunner
from test_example_tariff import KEY, serving
from test_importer import SMALL, built_data, data_of, imported

from xinfer.build import load_spec, prepare, write_tree
from xinfer.cli import main
from xinfer.daemon.process import PluginProcess
from xinfer.importer import NotDeclarable, with_runtime, write_spec
from xinfer.spec import Feature, ModelType

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


@pytest.fixture
def plugin(tmp_path):
    folder = tmp_path / "acme"
    start, _, rest = SMALL["provider/acme.yaml"].partition("provider_credential_schema:\n")
    models = rest[rest.index("models:\n") :]
    files = {
        **SMALL,
        "provider/acme.yaml": start + FORM + models,
        "provider/acme.py": PROVIDER,
        "models/llm/llm.py": LLM.replace("{set_url}", SET_URL),
        "models/llm/first.yaml": SMALL["models/llm/first.yaml"].replace(
            "[vision]", "[vision, tool-call]"
        ),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
    return folder


def test_the_runtime_stands_in_the_place_of_the_python(plugin, tmp_path):
    read = with_runtime(imported(plugin))
    assert not [line for line in read.warnings if "not carried" in line]
    spec = write_spec(read, tmp_path / "out")
    text = spec.read_text("utf-8")
    for line in (
        '    api_key: Secret = secret_input(label=I18n("Key"), sets=api_key)\n',
        "    endpoint_url: str | None = "
        'text_input(label=I18n("URL"), default=None, sets=base_url)\n',
        "    runtime=OpenAICompatible("
        'base_url="https://api.acme.example/v1", validated_by=("first",)),\n',
    ):
        assert line in text
    files = {p.relative_to(spec.parent).as_posix() for p in spec.parent.rglob("*") if p.is_file()}
    assert files == {"provider_spec.py", "plugin/_assets/icon.svg"}
    assert built_data(spec) == data_of(plugin)


def test_the_declared_runtime_answers(plugin, tmp_path):
    spec = write_spec(with_runtime(imported(plugin)), tmp_path / "out")
    write_tree(prepare(spec).tree, tmp_path / "built")
    with (
        serving() as url,
        PluginProcess.start(tmp_path / "built", environment={"NO_PROXY": "127.0.0.1"}) as running,
    ):
        pieces = list(
            running.call(
                "invoke_llm",
                provider="acme",
                model_type="llm",
                model="first",
                credentials={"api_key": KEY, "endpoint_url": url},
                prompt_messages=[{"role": "user", "content": "hello"}],
                model_parameters={},
                tools=None,
                stop=None,
                stream=True,
            )
        )
    text = "".join(piece["delta"]["message"]["content"] for piece in pieces)
    assert text == "You said: 好"


def test_models_that_users_add_are_declared_as_the_sdk_describes_them(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace("models:\n", f"{MODEL_FORM}models:\n", 1)
    text = text.replace("[predefined-model]", "[predefined-model, customizable-model]")
    provider.write_text(text, "utf-8")
    spec = write_spec(with_runtime(imported(plugin)), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)
    project = load_spec(spec).project
    assert project.credentials.__name__ == "AcmeModelCredentials"
    assert project.credentials.from_form({"api_key": "x"}).context_size == 4096
    (model,) = project.customizable_models
    assert model.model_type is ModelType.LLM
    written = spec.read_text("utf-8")
    assert 'Feature.MULTI_TOOL_CALL: setting("function_calling_type") == "tool_call"' in written
    assert set(model.features) == {Feature.TOOL_CALL, Feature.MULTI_TOOL_CALL}
    size = 'first_of(setting("context_size"), limit("context_length"), 4096)'
    assert f'"mode": "chat", "context_size": {size}' in " ".join(written.split()).replace("{ ", "{")


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ('credentials["endpoint_url"] = "https://a.example/v1"', "https://a.example/v1"),
        ('credentials["endpoint_url"] = str(URL)', "https://api.acme.example/v1"),
        (
            'credentials["endpoint_url"] = credentials.get("endpoint_url") or "https://b.example"',
            "https://b.example",
        ),
        (
            'credentials["endpoint_url"] = str(credentials.get("endpoint_url", URL))',
            "https://api.acme.example/v1",
        ),
        (
            'if not credentials.get("endpoint_url"): credentials["endpoint_url"] = URL',
            "https://api.acme.example/v1",
        ),
    ],
)
def test_the_base_url_is_found_however_it_is_set(plugin, line, url):
    (plugin / "models/llm/llm.py").write_text(LLM.replace("{set_url}", line))
    runtime = with_runtime(imported(plugin)).runtime
    assert runtime.base_url == url
    assert runtime.not_carried == ()


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("credentials['stop'] = None", "llm.py:22: credentials['stop'] = None"),
        ("print('x')", "llm.py:22: print('x')"),
        (
            "if model == 'a':\n            credentials['mode'] = 'x'",
            "llm.py:22: if model == 'a':",
        ),
        ("pass\n\n    def get_num_tokens(self):\n        return 1", "get_num_tokens(self):"),
    ],
)
def test_what_cannot_be_carried_is_named_with_its_line(plugin, line, left):
    (plugin / "models/llm/llm.py").write_text(
        LLM.replace("{set_url}", f"{SET_URL}\n        {line}")
    )
    (warning,) = [w for w in with_runtime(imported(plugin)).warnings if "not carried" in w]
    assert left in warning


@pytest.mark.parametrize(
    ("path", "old", "new", "why"),
    [
        ("models/llm/llm.py", "(OAICompat", "(Own", "derives from OwnLargeLanguageModel"),
        ("models/llm/llm.py", "URL\n", "None\n", None),
        ("models/llm/llm.py", "def _invoke", "def (", "models/llm/llm.py is not Python"),
        ("provider/acme.yaml", "secret-input", "text-input", "api_key is no field for api_key"),
        (
            "provider/acme.yaml",
            "models/llm/llm.py",
            "models/llm/no.py",
            "there is no models/llm/no",
        ),
    ],
)
def test_what_is_more_than_the_sdk_s_classes_keeps_its_python(
    plugin, tmp_path, path, old, new, why
):
    file = plugin / path
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    if why is None:  # the field for the URL tells where the server is
        assert with_runtime(imported(plugin)).runtime.base_url is None
        return
    with pytest.raises(NotDeclarable, match=why):
        with_runtime(imported(plugin))
    command = ["import", str(plugin), "-o", str(tmp_path / "out"), "--declare-runtime"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2
    assert "Leave --declare-runtime out to keep its Python." in done.output
    assert not (tmp_path / "out").exists()
