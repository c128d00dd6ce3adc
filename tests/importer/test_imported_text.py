"""The imported spec is written as a person would: comments, broken lines, constants."""

import ast

import pytest
from importer.small import built_data, data_of, imported

from xinfer.importer import write_spec


def test_the_spec_reads_as_a_person_would_have_written_it(plugin, tmp_path):
    text = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "class AcmeCredentials(Credentials):" in text
    assert "    # Found in the console, under Keys.\n    api_key: Secret = secret_input(" in text
    assert 'variable="api-key"' in text
    assert "    class_: str = select(" in text
    assert "    from_form_: str | None = text_input(" in text
    assert "TEMPERATURE = ParameterRule(" in text
    assert text.count("ParameterRule(") == 2
    assert "# the price of 2024" in text
    assert "use_template=Template.TEMPERATURE" in text
    assert text.index('"second"') < text.index('"first"')
    assert max(map(len, text.splitlines())) <= 100


def test_all_comments_are_kept_where_they_belong(plugin, tmp_path):
    """On lines of their own, at line ends, in lists of positions, at the end, behind a ``|``."""
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8")
    text = text.replace("provider: acme\n", "provider: acme  # as in the URL\n")
    text = text.replace("      default: a\n", "      default: a  # the cheapest\n")
    text = text.replace("author: someone\n", "author: someone\n# the end\n")
    text = text.replace(
        "label: {en_US: Acme}\n", "label:\n  en_US: |  # of the company\n    A # b\n", 1
    )
    provider.write_text(text, "utf-8")
    (plugin / "models/llm/_position.yaml").write_text("- second  # the newest\n# old\n- first\n")
    model = plugin / "models/llm/first.yaml"
    model.write_text(
        model.read_text("utf-8").replace(
            "  - name: temperature\n", "  # as sampled\n  - name: temperature\n"
        ),
        "utf-8",
    )
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "    # Found in the console, under Keys.\n    api_key: Secret" in written
    assert "        # as in the URL\n        provider=" in written
    assert "    # the cheapest\n    class_: str = select(" in written
    assert "# of the company\n" in written
    assert "# b" not in written.replace("A # b", "")
    assert "# the end\n" in written
    assert '    # the newest\n    Model(\n        model="second"' in written
    assert '    # old\n    Model(\n        model="first"' in written
    assert "            # as sampled\n            TEMPERATURE,\n" in written
    assert "        # the price of 2024\n        pricing=" in written


def test_long_texts_are_broken_by_columns_and_come_back(plugin, tmp_path):
    """Chinese has no spaces to break at, and each character takes two columns."""
    provider = plugin / "provider/acme.yaml"
    chinese = "控制推理深度。none 关闭思考；low 轻量推理（速度快，适合简单任务）、medium 平衡。" * 3
    label = f'{{en_US: Class, zh_Hans: "{chinese}", ja_JP: "{"x" * 90} {"y " * 60}"}}'
    text = provider.read_text("utf-8").replace("{en_US: Class}", label)
    provider.write_text(text, "utf-8")
    spec = write_spec(imported(plugin), tmp_path / "out")
    assert built_data(spec) == data_of(plugin)
    lines = spec.read_text("utf-8").splitlines()
    wide = [line for line in lines if sum(1 + (ord(c) > 0x2E80) for c in line) > 100]
    assert [line.strip("' \"") for line in wide] == [f'ja_JP="{"x" * 90}'], "no word is broken"


def test_comments_that_have_no_other_place_stand_above_the_project(plugin, tmp_path):
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace("models:\n", "models:  # by type\n")
    provider.write_text(text, "utf-8")
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    assert "# by type\nproject = Project(" in written


MODEL = """\
model: {name}
model_type: llm
features: {features}
model_properties: {{mode: chat, context_size: {size}}}
parameter_rules:
  - {{name: temperature, use_template: temperature, max: {temperature}}}
  - {{name: max_tokens, use_template: max_tokens, max: {tokens}}}
pricing: {{input: '{price}', output: '{price}', unit: '0.000001', currency: USD}}
"""


@pytest.fixture
def many(plugin):
    """Models that share rules, lists of them, features, properties and prices."""
    rows = [
        ("[vision, tool-call]", 131072, 1, 8192, "0"),
        ("[vision, tool-call]", 131072, 1, 8192, "0"),
        ("[vision, tool-call]", 131072, 1, 8192, "2.50"),
        ("[tool-call, document]", 128000, 2, 8192, "2.50"),
        ("[tool-call, document]", 128000, 2, 8192, "0"),
        ("[vision]", 4096, 2, 4096, "3"),
    ]
    keys = ("features", "size", "temperature", "tokens", "price")
    for old in ("first", "2nd", "_position"):
        (plugin / f"models/llm/{old}.yaml").unlink()
    provider = plugin / "provider/acme.yaml"
    text = provider.read_text("utf-8").replace(", position: models/llm/_position.yaml", "")
    provider.write_text(text, "utf-8")

    def write(order):
        for number, row in enumerate(order):
            values = dict(zip(keys, rows[row], strict=True))
            text = MODEL.format(name=f"model-{row}", **values)
            (plugin / f"models/llm/{number}.yaml").write_text(text, "utf-8")
        return plugin

    return write


def constants_of(spec):
    """The constants of a spec and their values, as text."""
    tree = ast.parse(spec.read_text("utf-8"))
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): ast.unparse(node.value) for node in assigned}


def test_constants_are_named_after_what_they_hold(many, tmp_path):
    constants = constants_of(write_spec(imported(many(range(6))), tmp_path / "out"))
    constants.pop("project")
    assert list(constants) == [
        "MAX_TOKENS_8192",
        "TEMPERATURE_MAX_1",
        "TEMPERATURE_MAX_2",
        "RULES_WITH_TEMPERATURE_MAX_2",
        "STANDARD_RULES",
        "FEATURES_WITH_DOCUMENT",
        "STANDARD_FEATURES",
        "CHAT_128000",
        "CHAT_128K",
        "FREE",
        "USD_2_5_AND_2_5_PER_MILLION",
    ]
    assert constants["STANDARD_RULES"] == "(TEMPERATURE_MAX_1, MAX_TOKENS_8192)"
    assert constants["STANDARD_FEATURES"] == "(Feature.VISION, Feature.TOOL_CALL)"


def test_the_order_of_models_changes_no_name(many, tmp_path):
    first = constants_of(write_spec(imported(many(range(6))), tmp_path / "first"))
    second = constants_of(write_spec(imported(many([4, 2, 5, 0, 3, 1])), tmp_path / "second"))
    assert first.keys() == second.keys()
    assert {**first, "project": ""} == {**second, "project": ""}


def test_what_would_be_written_in_any_case_is_left_out(plugin, tmp_path):
    written = write_spec(imported(plugin), tmp_path / "out").read_text("utf-8")
    for word in ("PluginType", "Resource(", "Runner(", "memory"):
        assert word not in written
    assert "meta=Meta(arch=(Arch.AMD64,))" in written
    assert "deprecated=False" in written, "it stands in the YAML, and no build would write it"
