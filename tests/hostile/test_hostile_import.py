"""Whatever a plugin's files hold, importing them runs nothing and writes the same calls."""

import ast
import builtins
import tempfile
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xinfer.build import load_spec
from xinfer.importer import read_plugin, write_spec
from xinfer.importer.evaluate import NotOurs, evaluate
from xinfer.importer.python import comment_line

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
        return shape(write_spec(read_plugin(plugin), Path(folder) / "out").parent)


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
    spec = write_spec(read_plugin(plugin), folder / "out")
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
