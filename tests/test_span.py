"""A declared object knows the characters that made it, and the author's call that led there."""

import copy
import pickle
import subprocess
import sys
from itertools import count
from pathlib import Path
from runpy import run_path

import attrs
import pytest

from xinfer.rules import check_one
from xinfer.schema import span_of
from xinfer.spec import I18n, Meta, Option, ParameterRule
from xinfer.spec.credentials import fields
from xinfer.yaml import read_spec, read_what_fits

numbers = count()


@pytest.fixture
def run(tmp_path):
    """Run a module and return its names."""

    def of(text):
        path = tmp_path / f"spec{next(numbers)}.py"
        path.write_text(f"import attrs\nfrom xinfer.spec import *\n{text}", encoding="utf-8")
        return run_path(str(path))

    return of


def pointed(span):
    """Return the characters of a span."""
    lines = Path(span.file).read_text(encoding="utf-8").splitlines()[span.line - 1 : span.end_line]
    last = len(lines[-1]) if span.end_column is None else span.end_column - 1
    lines[-1] = lines[-1][:last]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def test_two_calls_on_a_line(run):
    names = run('a, b = I18n("A", zh_Hans="甲"), I18n("B", zh_Hans="乙")')
    assert pointed(names["a"].span) == 'I18n("A", zh_Hans="甲")'
    assert pointed(names["b"].span) == 'I18n("B", zh_Hans="乙")'
    assert pointed(span_of(names["b"], "zh_Hans")) == '"乙"'
    assert pointed(span_of(names["b"], "en_US")) == '"B"'


def test_two_rules_on_a_line_are_told_apart(run):
    low = 'ParameterRule(name="种子", type=ParameterType.INT, min=7, max=3)'
    right = 'ParameterRule(name="种子", type=ParameterType.INT, min=1, max=3)'
    names = run(f"rules = ({right}, {low}, {right})")
    (finding,) = check_one(names["rules"][1], "rule")
    line = f"rules = ({right}, {low}, {right})"
    assert finding.span.column == line.index("min=7") + len("min=") + 1
    assert pointed(finding.span) == "7"
    assert not check_one(names["rules"][2], "rule")


def test_a_call_over_two_lines(run):
    names = run('a = I18n("A",\n         zh_Hans="甲")')
    span = names["a"].span
    assert (span.line, span.column, span.end_line, span.end_column) == (3, 5, 4, 22)
    assert pointed(span_of(names["a"], "zh_Hans")) == '"甲"'


def test_a_call_through_its_module_over_lines(run):
    names = run('import xinfer.spec\na = (xinfer\n     .spec\n     .I18n("A", zh_Hans="甲"))')
    assert pointed(span_of(names["a"], "zh_Hans")) == '"甲"'


def test_columns_count_characters(run):
    names = run('语言, a = "中文", I18n("𠮷", zh_Hans="\U0001f600"); b =\t I18n("B")')
    line = Path(names["a"].span.file).read_text(encoding="utf-8").splitlines()[2]
    assert names["a"].span.column == line.index("I18n") + 1
    assert names["b"].span.column == line.rindex("I18n") + 1
    assert pointed(span_of(names["a"], "zh_Hans")) == '"\U0001f600"'


def test_a_comprehension_and_a_generator(run):
    names = run(
        'a = [I18n(word) for word in "xy"]\n'
        'b = tuple(I18n(word) for word in "xy")\n'
        'c = tuple(map(lambda word: I18n(word), "xy"))\n'
    )
    for name in "abc":
        for text in names[name]:
            assert pointed(text.span) == "I18n(word)"
            assert text.span.called_from is None


def test_a_class_body_and_its_fields(run):
    names = run(
        "class Server(Credentials):\n"
        '    url: str = text_input(label=I18n("URL"), placeholder=I18n("http://"))\n'
        '    key: Secret = secret_input(label=I18n("Key"), show_on={"url": "x"})\n'
    )
    url, key = (field.form for field in fields(names["Server"]))
    assert pointed(url.span) == 'text_input(label=I18n("URL"), placeholder=I18n("http://"))'
    assert pointed(span_of(url, "label")) == 'I18n("URL")'
    assert pointed(span_of(url, "label.en_US")) == '"URL"'
    assert pointed(span_of(url, "variable")) == "url"
    assert pointed(span_of(key, "type")) == "secret_input"
    assert pointed(span_of(key, "show_on[0].value")) == '"x"'


def test_a_helper_shows_its_line_and_the_call_that_led_to_it(run):
    names = run(
        "def seed(low):\n"
        '    return ParameterRule(name="seed", type=ParameterType.INT, min=low, max=3)\n'
        "def seeds():\n"
        "    return seed(1), seed(7)\n"
        "rules = seeds()\n"
    )
    (finding,) = check_one(names["rules"][1], "rule")
    assert (pointed(finding.span), finding.span.line) == ("low", 4)
    assert pointed(finding.span.called_from) == "seed(7)"
    assert pointed(finding.span.called_from.called_from) == "seeds()"


def test_a_field_that_a_helper_made(run):
    names = run(
        "def key():\n"
        '    return secret_input(label=I18n("Key"))\n'
        "class Server(Credentials):\n"
        "    api_key: Secret = key()\n"
    )
    (field,) = fields(names["Server"])
    assert pointed(field.form.span) == 'secret_input(label=I18n("Key"))'
    assert pointed(field.form.span.called_from) == "key()"
    assert field.form.span.called_from.line == 6


def test_what_is_not_written_out_is_shown_by_its_call(run):
    names = run('said = {"min": 7, "max": 3}\nrule = ParameterRule(name="seed", **said)')
    assert pointed(span_of(names["rule"], "min")) == 'ParameterRule(name="seed", **said)'


def test_an_item_behind_others_that_are_not_written_out(run):
    names = run('some = ("a",)\nrule = ParameterRule(name="x", options=("0", *some, "b"))')
    assert pointed(span_of(names["rule"], "options[0]")) == '"0"'
    assert pointed(span_of(names["rule"], "options[2]")) == '("0", *some, "b")'


def test_an_object_with_a_name_is_shown_where_it_is_made(run):
    names = run('NO = Option("no", I18n("No"))\nfield = FormField(variable="x", '
               'label=I18n("X"), type=FormType.SELECT, options=(NO,))')  # fmt: skip
    assert pointed(span_of(names["field"], "options[0].value")) == '"no"'


def test_a_value_of_a_mapping(run):
    names = run(
        "model = CustomizableModel(model_type=ModelType.LLM,\n"
        '    features={Feature.VISION: always}, properties={"mode": "chat", "context_size": 8})'
    )
    assert pointed(span_of(names["model"], "properties.context_size")) == "8"
    assert pointed(span_of(names["model"], "features.vision")) == "always"


def test_a_copy_keeps_its_span_and_evolve_takes_the_callers(run):
    names = run('a = I18n("A", zh_Hans="甲")\nb = attrs.evolve(a, zh_Hans="乙")')
    assert copy.copy(names["a"]).span == copy.deepcopy(names["a"]).span == names["a"].span
    assert pickle.loads(pickle.dumps(names["a"])).span == names["a"].span
    assert pointed(names["b"].span) == 'attrs.evolve(a, zh_Hans="乙")'
    assert pointed(span_of(names["b"], "zh_Hans")) == '"乙"'


def test_without_columns_the_line_is_known(tmp_path):
    spec = tmp_path / "spec.py"
    spec.write_text(
        "from xinfer.schema import span_of\nfrom xinfer.spec import I18n\n"
        'a = I18n("A",\n  zh_Hans="x")\nprint(span_of(a, "zh_Hans"))\n'
    )
    command = [sys.executable, "-X", "no_debug_ranges", str(spec)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed == f"{spec}:3\n"


def test_no_source_gives_no_column():
    names = {}
    exec(compile("from xinfer.spec import I18n\na = I18n('A')", "gone.py", "exec"), names)
    span = names["a"].span
    assert (span.file, span.line, span.column) == ("gone.py", 2, None)
    assert span_of(names["a"], "en_US") == span


def test_defaults_of_the_classes_have_no_span():
    assert attrs.fields(Meta).runner.default.span is None


def test_a_default_in_place_of_a_value_that_does_not_fit_has_no_span():
    meta, faults = read_what_fits("version: 0.0.1\nrunner: [python]\n", Meta, file="manifest.yaml")
    assert [fault.message for fault in faults] == ["expected a mapping, got a list"]
    assert meta.span
    assert meta.runner.span is None


def test_many_objects_of_one_module_are_quick_to_place(run):
    """The positions of a code object are read once, however many objects it makes."""
    names = run("texts = [\n" + 'I18n("a"),\n' * 3000 + "]\n")
    lines = {text.span.line for text in names["texts"]}
    assert lines == set(range(4, 3004))


def test_yaml():
    text = (
        "name: t\ntype: string\n"
        'options: ["甲", b]\n'
        "label:\n  en_US: A\n  zh_Hans: 甲\n"
        "help: {en_US: H}\n"
    )
    rule = read_spec(text, ParameterRule, file="rule.yaml")

    def extent(span):
        return span.line, span.column, span.end_line, span.end_column

    assert extent(rule.span) == (1, 1, 7, 17)
    assert extent(rule.label.span) == (5, 3, 6, 13)
    assert extent(span_of(rule, "label.zh_Hans")) == (6, 12, 6, 13)
    assert extent(span_of(rule, "options[1]")) == (3, 16, 3, 17)
    assert extent(span_of(rule, "help.zh_Hans")) == extent(rule.help.span) == (7, 7, 7, 17)
    assert extent(span_of(rule, "default")) == extent(rule.span)


def test_the_labels_of_options_are_placed():
    option = read_spec("value: a\nlabel:\n  en_US: A\n", Option, file="o.yaml")
    assert option.label.span.line == 3
    assert isinstance(option.label, I18n)
