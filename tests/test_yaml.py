"""YAML out and in: lossless, the same to PyYAML as to us, and honest about what is wrong."""

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provider_spec import project
from xinfer.plugin.plugin import Form
from xinfer.rules.values import mistyped
from xinfer.schema import walk
from xinfer.spec import I18n, Manifest, Model, ModelProperties, ModelType, ParameterRule, Provider
from xinfer.spec.project import complete
from xinfer.yaml import (
    DocumentError,
    Keep,
    read_document,
    read_spec,
    read_what_fits,
    to_data,
    to_yaml,
)

SPEC = complete(project)
TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=40)
AMBIGUOUS = ["on", "No", "~", "1_000", "12:30", "0o7", "3.12", "2026-01-01", "=", "<<", "- a", "#x"]


@pytest.mark.parametrize("declared", [SPEC.manifest, SPEC.provider], ids=["manifest", "provider"])
def test_our_own_spec_reads_back_equal(declared):
    text = to_yaml(declared, source="provider_spec.py")
    assert read_spec(text, type(declared), file="it.yaml") == declared
    assert yaml.safe_load(text) == to_data(declared)


@given(text=TEXT | st.sampled_from(AMBIGUOUS))
def test_no_string_changes_on_its_way_through_yaml(text):
    label = I18n(text, zh_Hans=text + "中")
    written = to_yaml(label, source="s.py")
    assert read_spec(written, I18n, file="it.yaml") == label
    assert yaml.safe_load(written) == {"en_US": text, "zh_Hans": text + "中"}


@given(number=st.floats(allow_nan=False) | st.integers())
def test_no_number_changes_either(number):
    assert yaml.safe_load(to_yaml({"n": number}, source="s.py")) == {"n": number}


def test_chinese_stands_unescaped_long_lines_whole_and_the_source_on_top():
    written = to_yaml(I18n("word " * 60 + "end", zh_Hans="服务器"), source="provider_spec.py")
    assert "服务器" in written
    assert len(written.splitlines()) == 3
    assert written.startswith("# Made from provider_spec.py")


def test_required_is_written_also_where_it_is_false():
    form = to_data(SPEC.provider)["model_credential_schema"]["credential_form_schemas"]
    assert all("required" in field for field in form)
    assert {field["required"] for field in form} == {True, False}


def faults(text, kind=Provider):
    with pytest.raises(DocumentError) as caught:
        read_spec(text, kind, file="p.yaml")
    return [str(fault) for fault in caught.value.faults]


def test_every_mismatch_is_reported_with_line_column_path_and_what_was_expected():
    text = (
        "provider: 3\nlabl: {en_US: x}\nlabel:\n  zh_Hans: 4\nsupported_model_types: [llm, foo]\n"
    )
    assert faults(text) == [
        "p.yaml:1:11: provider: expected a string, got 3: put it in quotes",
        "p.yaml:2:7: labl: is not a key of the format: did you mean label?",
        "p.yaml:4:3: label.en_US: is required but missing",
        "p.yaml:4:12: label.zh_Hans: expected a string, got 4: put it in quotes",
        "p.yaml:5:30: supported_model_types[1]: expected one of llm, text-embedding, rerank, "
        "speech2text, moderation, tts, text2img, multimodal-embedding, multimodal-rerank, "
        "got 'foo'",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "p.yaml:3:1: a: appears a second time: remove one"),
        ("a: [1\n", "p.yaml:2:1"),
        ("", "is empty"),
        (b"a: \xff\n", "is not UTF-8"),
        ("a: " + "[" * 200 + "]" * 200, "nests too deep"),
        ("a" * 1_100_000, "is larger than"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(text, message):
    with pytest.raises(DocumentError) as caught:
        read_document(text, "p.yaml")
    assert message in str(caught.value)
    assert len(caught.value.faults) == 1


def test_an_alias_bomb_is_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(DocumentError, match="holds more than"):
        read_document("\n".join(lines), "p.yaml")


def test_ordinary_aliases_and_merges_are_read():
    text = "base: &b {x: 1, y: 2}\nmore:\n  <<: *b\n  y: 3\nagain: *b\n"
    assert read_document(text, "p.yaml").data == yaml.safe_load(text)


def test_a_model_reads_back_equal():
    model = Model(
        model="m",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=4096),
    )
    assert read_spec(to_yaml(model, source="s.py"), Model, file="m.yaml") == model


@pytest.mark.parametrize(
    "time", ["2026-11-23", "2026-11-23T00:00:00Z", "'2024-09-20T00:13:50.29298939-04:00'"]
)
def test_a_time_reads_back_as_what_it_was(time):
    text = to_yaml(SPEC.manifest, source="s.py").replace("2026-11-23T00:00:00Z", time)
    assert f"created_at: {time}" in text
    read = read_spec(text, Manifest, file="manifest.yaml")
    assert yaml.safe_load(to_yaml(read, source="s.py")) == yaml.safe_load(text)


def test_what_was_said_is_written_even_where_it_equals_the_default():
    text = "model: m\nmodel_type: llm\nmodel_properties: {}\ndeprecated: false\nfeatures: []\n"
    read = read_spec(text, Model, file="m.yaml")
    assert to_data(read) == yaml.safe_load(text)
    assert "deprecated" not in to_data(
        Model(model="m", model_type=ModelType.LLM, model_properties=ModelProperties())
    )


def test_unknown_and_null_keys_are_kept_when_asked_to():
    text = "model: m\nmodel_type: llm\nmodel_properties: {}\npricing: null\nicon: {a: [1]}\n"
    read = read_spec(text, Model, file="m.yaml", keep=Keep.MISFITS)
    assert read.extra_keys == {"pricing": None, "icon": {"a": [1]}}
    assert yaml.safe_load(to_yaml(read, source="s.py")) == yaml.safe_load(text)


def test_what_is_read_knows_its_place():
    text = to_yaml(SPEC.provider, source="s.py")
    read = read_spec(text, Provider, file="p.yaml")
    lines = text.splitlines()
    form = read.provider_credential_schema.credential_form_schemas[2]
    assert form.span.file == "p.yaml"
    assert "server_url" in lines[form.span.line - 1]
    assert lines[form.label.span.line - 1].strip().startswith("en_US: Server URL")


@given(
    text=st.from_regex(
        r"[-+]?[0-9_.:]{1,9}|[yYnN~]|yes|no|on|off|0[xob]?[0-9a-df]{1,4}", fullmatch=True
    )
)
@settings(max_examples=400, deadline=None)
def test_plain_values_are_read_as_the_sdk_reads_them(text):
    """PyYAML is what the SDK reads with; libyaml and the reader in Python must agree with it."""
    document = f"k: {text}\n"
    try:
        read = yaml.safe_load(document)
    except (ValueError, yaml.YAMLError):
        with pytest.raises(DocumentError):
            read_document(document, "x.yaml")
        return
    assert repr(read_document(document, "x.yaml").data) == repr(read)
    long = f"{document}# {'-' * 4000}\n"  # longer than what libyaml is trusted with
    assert repr(read_document(long, "x.yaml").data) == repr(read)


@pytest.mark.parametrize("depth", [100, 3000, 200_000])
@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? "])
def test_no_depth_ends_the_process(opening, depth):
    with pytest.raises(DocumentError, match=r"^x\.yaml:\d+:"):
        read_document(opening * depth, "x.yaml")


RULE = "name: a\ntype: int\nmax: {}\n"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("0x" + "f" * 5000, "is a whole number of 5002 characters; the most is 100"),
        ("0" + "7" * 5000, "is a whole number of 5001 characters; the most is 100"),
        ("9" * 5000, "is a whole number of 5000 characters; the most is 100"),
        ("1" + ":1" * 100_000, "is a whole number of 200001 characters; the most is 100"),
        ("1." + "1" * 100_000, "is a number of 100002 characters; the most is 100"),
        ("!!int x", "is not a whole number"),
        ("!!bool x", "is not true or false"),
        ("2026-99-99", "is not a date or a time: month must be in 1..12"),
        ("!!python/object:os.system x", "is of the type !!python/object:os.system, which plugins"),
        ("=", "is of the type !!value, which plugins do not have: put it in quotes"),
    ],
)
def test_a_value_that_is_none_is_named_by_its_place(value, message):
    (fault,) = faults(RULE.format(value), ParameterRule)
    assert fault.startswith(f"p.yaml:3:6: max: {message}")
    assert len(fault) < 200


@pytest.mark.parametrize("value", [".inf", "-.INF", ".nan", "1e999", "0x" + "f" * 90])
def test_a_number_without_a_finite_value_is_read_for_the_rules_to_judge(value):
    rule = read_spec(RULE.format(value), ParameterRule, file="p.yaml")
    assert not math.isfinite(rule.max) or rule.max > 10**100
    (finding,) = [
        finding for finding in mistyped(walk(rule, ("rule",)), Form.YAML) if finding.code == "XI005"
    ] or [None]
    assert (finding is None) == (value.startswith("0x"))


def test_what_fits_is_read_with_the_faults_of_the_rest():
    text = (
        "model: m\nmodel_type: llm\nmodel_properties: {mode: chat, context_size: 8k}\n"
        "parameter_rules: [{name: a, min: x}, {name: b}]\npricing: {input: 1}\nnew: 1\n"
    )
    model, faults = read_what_fits(text, Model, file="m.yaml")
    assert [str(fault) for fault in faults] == [
        "m.yaml:3:46: model_properties.context_size: expected a whole number, got '8k'",
        "m.yaml:4:34: parameter_rules[0].min: expected a number, got 'x'",
        "m.yaml:5:10: pricing.unit: is required but missing",
        "m.yaml:5:10: pricing.currency: is required but missing",
    ]
    assert model.model_properties.mode == "chat"
    assert [rule.name for rule in model.parameter_rules] == ["a", "b"]
    assert model.extra_keys == {"pricing": {"input": 1}, "new": 1}
    nothing, faults = read_what_fits("model_type: llms\n", Model, file="m.yaml")
    assert nothing is None
    assert [fault.path for fault in faults] == ["model", "model_properties", "model_type"]
    assert read_what_fits("a: [", Model, file="m.yaml")[0] is None
