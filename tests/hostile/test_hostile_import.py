"""Whatever a plugin's files hold, importing them runs nothing and writes the same calls."""

import ast
import builtins
import tempfile
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importer.small import SMALL, imported, write_files

from xinfer.build.load import load_spec
from xinfer.build.preparation import WrongValues, prepare
from xinfer.cli import main
from xinfer.importer import UnreadablePlugin, write_spec
from xinfer.importer.evaluate import NotOurs, evaluate
from xinfer.importer.python import comment_line
from xinfer.importer.write import equal
from xinfer.yaml import read_document

RAN = "xinfer_ran"
CODE = f"__import__('builtins').__dict__.setdefault('{RAN}', 1)"
PAYLOADS = [
    f'"""\n{CODE}\n"""',
    f"'''\n{CODE}\n'''",
    f'"), {CODE}, ("',
    f"\\'); {CODE} #",
    f"}}{{{CODE}}}",
    f"f'{{{CODE}}}'",
    f"# {CODE}\n{CODE}",
    f"\r{CODE}\x0b{CODE}\x0c{CODE}\x85{CODE}\u2028{CODE}",
    f"\\\n{CODE}",
    f"\x1b[2J\x07\u202e{CODE}\x00"[:-1],
    f"$name %s {{}} {{0}} {CODE} \\N{{DIGIT ONE}} \\x41 \\",
    f"name={CODE}",
    "models=None, extra=None, supported_model_types=",
]

PROVIDER = {
    "provider": 1,
    "label": {"en_US": 1, "zh_Hans": 1},
    "description": {"en_US": 1},
    "icon_small": {"en_US": 1},
    "background": 1,
    "help": {"title": {"en_US": 1}, "url": {"en_US": 1}},
    "supported_model_types": ["llm"],
    "configurate_methods": ["predefined-model", "customizable-model"],
    "provider_credential_schema": {
        "credential_form_schemas": [
            {
                "variable": 1,
                "label": {"en_US": 1},
                "type": "secret-input",
                "required": True,
                "default": 1,
            },
            {
                "variable": 1,
                "label": {"en_US": 1},
                "type": "select",
                "required": False,
                "options": [
                    {
                        "value": 1,
                        "label": {"en_US": 1},
                        "show_on": [{"variable": 1, "value": 1}],
                    }
                ],
                "show_on": [{"variable": 1, "value": 1}],
                "placeholder": {"en_US": 1},
                "help": {"en_US": 1},
                "url": 1,
            },
        ]
    },
    "model_credential_schema": {
        "model": {"label": {"en_US": 1}, "placeholder": {"en_US": 1}},
        "credential_form_schemas": [
            {"variable": 1, "label": {"en_US": 1}, "type": "text-input", "required": True}
        ],
    },
    "models": {"llm": {"predefined": ["models/llm/*.yaml"]}},
    "extra": {"python": {"provider_source": 1, "model_sources": [1]}},
    "strange": {"list": [1, {"inner": 1}]},
}
MANIFEST = {
    "version": 1,
    "type": "plugin",
    "author": 1,
    "name": 1,
    "label": {"en_US": 1},
    "description": {"en_US": 1},
    "icon": 1,
    "created_at": 1,
    "resource": {"memory": 268435456},
    "plugins": {"models": ["provider/acme.yaml"]},
    "meta": {
        "version": 1,
        "arch": ["amd64"],
        "runner": {"language": "python", "version": 1, "entrypoint": 1},
    },
    "privacy": 1,
    "repo": 1,
}
RULES = [
    {
        "name": 1,
        "label": {"en_US": 1},
        "type": "string",
        "default": 1,
        "options": [1, 1],
        "help": {"en_US": 1},
    },
    {"name": 1, "use_template": "temperature"},
]


def model(number):
    return {
        "model": 1,
        "label": {"en_US": 1},
        "model_type": "llm",
        "features": ["vision"],
        "model_properties": {
            "mode": "chat",
            "context_size": 1024 * number,
            "default_voice": 1,
            "voices": [{"mode": 1, "name": 1, "language": [1]}],
        },
        "parameter_rules": RULES,
        "pricing": {"input": "1", "unit": "0.001", "currency": 1},
    }


def filled(data, text, count):
    """Put a text of its own in the place of every 1; key of no format get one, too."""
    if isinstance(data, dict):
        return {
            (text(next(count)) if key == "strange" else key): filled(value, text, count)
            for key, value in data.items()
        }
    if isinstance(data, list):
        return [filled(item, text, count) for item in data]
    return text(next(count)) if data == 1 and data is not True else data


def written(folder, text, comments):
    """Write the plugin with its texts; a comment stands above and behind every line."""
    count = iter(range(10**6))
    files = {"manifest.yaml": MANIFEST, "provider/acme.yaml": PROVIDER}
    files |= {f"models/llm/{number}.yaml": model(number) for number in range(1, 4)}
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        lines = yaml.safe_dump(
            filled(data, text, count), sort_keys=False, width=10**9, default_style='"'
        ).splitlines()
        above = "".join(f"# {line}\n" for line in comments)
        (folder / path).write_text("".join(f"{above}{line}\n" for line in lines), "utf-8")
    return folder


def shape(folder):
    """List the calls of all written modules with their arguments, and the kinds of all nodes."""
    nodes = [
        node
        for path in sorted(folder.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    ]
    # A field's variable is written where its attribute cannot be called so.
    calls = [
        (ast.unparse(node.func), [k.arg for k in node.keywords if k.arg != "variable"])
        for node in nodes
        if isinstance(node, ast.Call)
    ]
    return calls, {type(node) for node in nodes}


@cache
def plain_shape():
    with tempfile.TemporaryDirectory() as folder:
        plugin = written(Path(folder) / "plain", lambda number: f"text{number}", ["a comment"])
        return shape(write_spec(imported(plugin), Path(folder) / "out").parent)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_in_any_field_is_imported_and_nothing_runs(tmp_path_factory, text):
    assert_harmless(tmp_path_factory.mktemp("any"), text)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_code_in_any_field_is_text(tmp_path, payload):
    assert_harmless(tmp_path, payload)


def assert_harmless(folder, payload):
    # YAML takes no control characters in a comment.
    comment = "".join(c for c in payload if c.isprintable()) or "a comment"
    plugin = written(folder / "plugin", lambda number: f"{payload}{number}", [comment])
    spec = write_spec(imported(plugin), folder / "out")
    assert not hasattr(builtins, RAN)
    assert shape(spec.parent) == plain_shape()
    for path in spec.parent.rglob("*.py"):
        assert path.read_text("utf-8").replace("\n", "").isprintable()
    assert load_spec(spec).project.provider.label.en_US.startswith(payload)
    assert not hasattr(builtins, RAN)


@pytest.mark.parametrize(
    "source",
    [
        "import os\n",
        "from os import system\n",
        "from xinfer.spec import I18n as project\n",
        "from xinfer.spec import evolve\n",
        "project = print('x')\n",
        "project = open\n",
        "project = (lambda: 1)()\n",
        "project = [x for x in (1,)]\n",
        "project = f'{1}'\n",
        "project = ''.join\n",
        "from xinfer.spec import Project\nproject = Project.__init__\n",
        "from xinfer.spec import Model\nproject = Model(**{'model': 'a'})\n",
        "class A(str):\n    pass\n",
        "from xinfer.spec import Credentials\nclass A(Credentials, metaclass=type):\n    pass\n",
        "from xinfer.spec import Credentials\nclass A(Credentials):\n    print('x')\n",
        "def f(): pass\n",
        "if True: pass\n",
        "project = 1 + 1\n",
        "project = {**{}}\n",
        "project = 1\n",
    ],
)
def test_what_import_does_not_write_is_not_evaluated(source):
    with pytest.raises(NotOurs):
        evaluate({"provider_spec.py": source})


@given(st.text())
def test_a_comment_is_one_line_whatever_it_holds(text):
    line = comment_line(text)
    assert line.startswith("#")
    assert line.isprintable()
    assert ast.parse(line + "\n", "comment").body == []


FIRST = "models/llm/first.yaml"


@pytest.fixture
def small(tmp_path):
    return write_files(tmp_path / "acme", SMALL)


def edit(folder, path, old, new):
    text = (folder / path).read_text("utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("provider/acme.yaml", "provider: acme", 'provider: "1 2 3"'),
        ("provider/acme.yaml", "provider: acme", "provider: ../../x"),
        ("provider/acme.yaml", "provider: acme", 'provider: ""'),
        ("provider/acme.yaml", "provider: acme", "provider: 通义"),
        ("provider/acme.yaml", "provider: acme", f"provider: {'x' * 5000}"),
        ("manifest.yaml", "name: acme", "name: ../../../x"),
        (FIRST, "default: 0.7", "default: -0.0"),
        (FIRST, "default: 0.7", "default: 1.0e+300"),
        (FIRST, "deprecated: false", "strange: [.inf, -.inf, .nan, -1, 1e3]"),
        (FIRST, "deprecated: false", "strange: 2001-12-14"),
        (FIRST, "deprecated: false", "strange: 2001-12-14t21:59:43.10-05:30"),
        (FIRST, "deprecated: false", "strange: !!binary aGk="),
        (FIRST, "deprecated: false", "1: 2\n2.5: 3\ntrue: 4\nnull: 5"),
        (FIRST, "deprecated: false", f"strange: {'[' * 60}{']' * 60}"),
        (FIRST, "deprecated: false", f'strange: "{"word " * 100_000}"'),
        (FIRST, "deprecated: false", f"strange: {'w' * 900_000}"),
        (FIRST, "'0.0010'", f"'{'9' * 90}'"),
    ],
)
def test_odd_values_come_back_as_they_are(small, path, old, new):
    edit(small, path, old, new)
    read = imported(small)
    spec = write_spec(read, small.parent / "out")
    tree = prepare(spec).tree
    built = read_document(tree[path], path).data
    assert equal(built, read_document((small / path).read_bytes(), path).data)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("max: 1024", "max: .inf", "max is inf"),
        ("default: 0.7", "default: .nan", "default is nan"),
    ],
)
def test_numbers_that_json_cannot_hold_are_imported_and_not_built(small, old, new, why):
    edit(small, FIRST, old, new)
    spec = write_spec(imported(small), small.parent / "out")
    with pytest.raises(WrongValues, match=why):
        prepare(spec)


@pytest.mark.parametrize(
    ("new", "why"),
    [
        (f"context_size: 0x{'f' * 5000}", "first.yaml:4:46: model_properties.context_size"),
        (f"context_size: {'9' * 5000}", "first.yaml:4:46: model_properties.context_size"),
        ("context_size: !!timestamp 2001-99-99", "first.yaml:4:46: model_properties.context_size"),
        ('context_size: "\\uD800"', "first.yaml:4:49"),
        ("context_size: {? [a] : b}", "a key must be a single value"),
        (f"context_size: {'[' * 100}{']' * 100}", "nests too deep"),
        ("context_size: &a [*a]", "first.yaml"),
    ],
)
def test_values_that_python_or_yaml_cannot_hold_are_refused(small, new, why):
    edit(small, FIRST, "context_size: 1024", new)
    with pytest.raises(UnreadablePlugin) as caught:
        write_spec(imported(small), small.parent / "out")
    assert why in str(caught.value)
    assert not (small.parent / "out").exists()


def test_a_price_of_a_billion_digits_is_a_value_that_does_not_fit(small):
    edit(small, FIRST, "'0.0010'", "'1e999999999'")
    read = imported(small)
    assert any("pricing" in warning for warning in read.warnings)
    model = next(model for model in read.models if model.model == "first")
    assert model.pricing is None


def test_a_file_of_comments_is_written_in_time(small):
    """Formatting takes time by the square of the comments at one place."""
    lines = "".join(f"- {number}  # comment {number}\n" for number in range(3000))
    (small / FIRST).write_text(f"{SMALL[FIRST]}strange:\n{lines}", "utf-8")
    text = write_spec(imported(small), small.parent / "out").read_text("utf-8")
    assert all(f"# comment {number}\n" in text for number in range(3000))
    above = max(
        len(list(run))
        for is_comment, run in groupby(
            text.partition("project = ")[0].splitlines(), lambda line: line.startswith("        #")
        )
        if is_comment
    )
    assert above == 200


def test_what_a_terminal_would_obey_is_shown_escaped(small, monkeypatch):
    monkeypatch.chdir(small.parent)
    edit(small, FIRST, "deprecated: false", '"\\e[2J\\x07\\u202estrange\\n": 1')
    done = CliRunner().invoke(main, ["import", "acme", "-o", "out"])
    assert done.exit_code == 0, done.output
    assert r"\x1b[2J\x07\u202estrange\n is not a key of the format" in done.output
    assert done.output.replace("\n", "").isprintable()
    edit(small, "manifest.yaml", "name: acme", 'name: "\\e[2J\\u202e"')
    refused = CliRunner().invoke(main, ["import", "acme"])
    assert refused.exit_code == 2
    assert r"\x1b[2J\u202e" in refused.output
    assert refused.output.replace("\n", "").isprintable()
