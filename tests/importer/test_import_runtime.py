"""``xinfer import --declare-runtime``: Python that only fills in the SDK's classes is declared."""

import pytest
from click.testing import CliRunner
from importer.openai_compatible import FILES, FORM, LLM, MODEL_FORM, SET_URL
from importer.small import built_data, data_of, imported, write_files
from test_example_tariff import KEY, serving

from xinfer.build.load import load_spec
from xinfer.build.preparation import prepare
from xinfer.cli import main
from xinfer.daemon.process import PluginProcess
from xinfer.importer import NotDeclarable, with_runtime, write_spec
from xinfer.plugin.writer import write_tree
from xinfer.spec import EndUser, Feature, FormError, ModelType
from xinfer.spec.targets import connection_settings


@pytest.fixture
def plugin(tmp_path):
    return write_files(tmp_path / "acme", FILES)


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
    "body",
    [
        # A copy under another name, made by a method of the class.
        """credentials = self._filled(credentials)

    def _filled(self, credentials):
        ready = dict(credentials)
        ready["endpoint_url"] = URL
        return ready""",
        # What the declared features stand for.
        """schema = self.get_model_schema("first", credentials)
        if schema and schema.features:
            credentials["function_calling_type"] = "tool_call"
        credentials["endpoint_url"] = URL""",
        # A method that does no more than the one that it overrides.
        """credentials["endpoint_url"] = URL

    def get_customizable_model_schema(self, model, credentials):
        entity = super().get_customizable_model_schema(model, credentials)
        return entity""",
    ],
)
def test_code_without_an_effect_of_its_own_is_no_loss(plugin, body):
    (plugin / "models/llm/llm.py").write_text(LLM.replace("{set_url}", body))
    runtime = with_runtime(imported(plugin)).runtime
    assert runtime.not_carried == ()
    assert runtime.base_url == "https://api.acme.example/v1"


def test_the_end_user_is_cut_as_before(plugin):
    llm = LLM.replace("{set_url}", SET_URL).replace(
        "        return super",
        "        user = user[:32] if user else None\n        return super",
        1,
    )
    (plugin / "models/llm/llm.py").write_text(llm)
    runtime = with_runtime(imported(plugin)).runtime
    assert (runtime.user, runtime.not_carried) == (EndUser(max_length=32), ())


REGION = """\
    - variable: region
      label: {en_US: Region}
      type: select
      required: false
      default: cn
      options: [{value: cn, label: {en_US: China}}, {value: intl, label: {en_US: Elsewhere}}]
"""
BY_REGION = """\
if credentials.get("region") == "intl":
            credentials["endpoint_url"] = "https://intl.example/v1"
        else:
            credentials["endpoint_url"] = "https://cn.example/v1"
"""


def test_the_region_decides_about_the_url(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    url = FORM[FORM.index("    - {variable: endpoint_url") :]
    provider.write_text(provider.read_text("utf-8").replace(url, REGION), "utf-8")
    (plugin / "models/llm/llm.py").write_text(LLM.replace("{set_url}", BY_REGION))
    read = with_runtime(imported(plugin))
    assert (read.runtime.base_url, read.runtime.not_carried) == (None, ())
    credentials = load_spec(write_spec(read, tmp_path / "out")).project.credentials
    for region, host in {"intl": "intl", "cn": "cn", "": "cn"}.items():
        filled_in = credentials.from_form({"api_key": "k", "region": region})
        assert connection_settings(filled_in).base_url == f"https://{host}.example/v1"


def test_a_key_under_another_name_is_the_key(plugin):
    provider = plugin / "provider/acme.yaml"
    provider.write_text(
        provider.read_text("utf-8").replace("variable: api_key", "variable: acme_key")
    )
    line = 'if "acme_key" in credentials: credentials["api_key"] = credentials["acme_key"]'
    (plugin / "models/llm/llm.py").write_text(
        LLM.replace("{set_url}", f"{SET_URL}\n        {line}")
    )
    runtime = with_runtime(imported(plugin)).runtime
    assert str(runtime.sets["acme_key"]) == "api_key"
    assert runtime.not_carried == ()


ONLY_OF_PROVIDER = (
    "    - {variable: team, label: {en_US: Team}, type: text-input, required: true}\n"
)


def test_two_forms_that_differ_are_read_by_a_class_of_both(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace(FORM, FORM + ONLY_OF_PROVIDER)
    model_form = MODEL_FORM.replace(
        "URL}, type: text-input, required: false", "URL}, type: text-input, required: true"
    )
    text = text.replace("models:\n", f"{model_form}models:\n", 1)
    text = text.replace("[predefined-model]", "[predefined-model, customizable-model]")
    provider.write_text(text, "utf-8")
    spec = write_spec(with_runtime(imported(plugin)), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)  # both forms are as they were
    credentials = load_spec(spec).project.credentials
    assert credentials.__name__ == "AcmeStoredCredentials"
    of_provider = credentials.from_form({"api_key": "k", "team": "t"})
    assert (of_provider.team, of_provider.endpoint_url) == ("t", None)
    of_model = credentials.from_form(
        {"api_key": "k", "endpoint_url": "http://u", "context_size": "8"}
    )
    assert (of_model.team, of_model.context_size) == (None, 8)
    with pytest.raises(FormError, match="api_key"):
        credentials.from_form({"team": "t"})


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
