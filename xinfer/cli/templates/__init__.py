"""What ``xinfer init`` writes, rendered from the templates beside this module."""

from __future__ import annotations

import ast
import json
import re
import string
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Self

from attrs import evolve, frozen

from xinfer import __version__
from xinfer.spec import ModelType

ANSWERS = ".xinfer.toml"
"""The file that holds the answers from which a project was made."""


class Kind(StrEnum):
    """What a provider talks to, and who wrote the code that does."""

    OPENAI_COMPATIBLE = "openai-compatible"
    HOSTED = "hosted"
    OWN_PYTHON = "own-python"
    XINFERENCE = "xinference"


KINDS: Mapping[Kind, str] = {
    Kind.OPENAI_COMPATIBLE: "any OpenAI-compatible server; users add its models by name",
    Kind.HOSTED: "a hosted service with predefined models and prices",
    Kind.OWN_PYTHON: "predefined models, called by Python of your own",
    Kind.XINFERENCE: "a Xinference server",
}
"""What each kind is for."""

TYPES = (
    ModelType.LLM,
    ModelType.TEXT_EMBEDDING,
    ModelType.RERANK,
    ModelType.SPEECH2TEXT,
    ModelType.TTS,
)

_URLS: Mapping[Kind, str] = {
    Kind.OPENAI_COMPATIBLE: "http://192.168.1.100:8000/v1",
    Kind.XINFERENCE: "http://192.168.1.100:9997",
}
_PREDEFINED = (Kind.HOSTED, Kind.OWN_PYTHON)
_COLOURS = ("#0F766E", "#1D4ED8", "#7C3AED", "#BE185D", "#B45309", "#047857", "#4338CA", "#B91C1C")


@frozen(kw_only=True)
class Answers:
    """What a project is made from.

    :param models: names of a server's models by type, for kinds with predefined ones.
    :param context_sizes: of those models, where the server reported them.
    """

    name: str
    author: str
    kind: Kind
    types: tuple[ModelType, ...]
    languages: tuple[str, ...]
    created: date
    contact: str
    url: str = ""
    models: Mapping[str, tuple[str, ...]] = {}
    context_sizes: Mapping[str, int] = {}
    version: str = __version__

    @property
    def label(self) -> str:
        """The name as people write it."""
        return " ".join(part.capitalize() for part in re.split(r"[-_]", self.name))

    @property
    def class_name(self) -> str:
        """The name as Python writes a class's."""
        name = self.label.replace(" ", "")
        return name if name.isidentifier() else f"Provider{name}"

    @property
    def base_url(self) -> str:
        """Where the server is: as answered, or an example."""
        return self.url or _URLS.get(self.kind, f"https://api.{self.name}.example/v1")

    def to_toml(self) -> str:
        """Write the answers as TOML."""
        rows = {
            "version": self.version,
            "name": self.name,
            "author": self.author,
            "kind": self.kind.value,
            "types": [kind.value for kind in self.types],
            "languages": list(self.languages),
            "created": self.created.isoformat(),
            "contact": self.contact,
            "url": self.url,
        }
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in rows.items()]
        for table, listed in (("models", self.models), ("context_sizes", self.context_sizes)):
            lines += [f"\n[init.{table}]"] if listed else []
            lines += [f"{json.dumps(k)} = {json.dumps(_plain(v))}" for k, v in listed.items()]
        return "# What xinfer init made this project from.\n[init]\n" + "\n".join(lines) + "\n"

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read what :meth:`to_toml` wrote.

        :raises ValueError: the text is not what :meth:`to_toml` writes.
        """
        try:
            read: dict[str, Any] = tomllib.loads(text)["init"]
            return cls(
                name=read["name"],
                author=read["author"],
                kind=Kind(read["kind"]),
                types=tuple(map(ModelType, read["types"])),
                languages=tuple(read["languages"]),
                created=date.fromisoformat(read["created"]),
                contact=read["contact"],
                url=read.get("url", ""),
                models={kind: tuple(names) for kind, names in read.get("models", {}).items()},
                context_sizes=read.get("context_sizes", {}),
                version=read["version"],
            )
        except (KeyError, TypeError, tomllib.TOMLDecodeError) as error:
            raise ValueError(f"not the answers of xinfer init: {error}") from None


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def render(answers: Answers) -> dict[str, str]:
    """Return the text of every file of a new project, by path."""
    files = dict(_files(answers))
    files = {path: _in_languages(text, answers.languages) for path, text in files.items()}
    files["provider_spec.py"] = _with_imports(files["provider_spec.py"])
    files[ANSWERS] = evolve(answers, version=__version__).to_toml()
    return _finished(files)


def _files(answers: Answers) -> Iterator[tuple[str, str]]:
    words = _words(answers)
    yield "provider_spec.py", _text(f"spec/{answers.kind}", {**words, **_declared(answers, words)})
    for name, path in _PROJECT.items():
        yield path, _text(f"project/{name}", words)
    yield "plugin/README.md", _text("plugin/README.md", words)
    yield "plugin/PRIVACY.md", _text("plugin/PRIVACY.md", words)
    if "zh_Hans" in answers.languages:
        yield "plugin/readme/README_zh_Hans.md", _text("plugin/README_zh_Hans.md", words)
    yield from _icons(answers)
    if answers.kind is Kind.OWN_PYTHON:
        yield "plugin/service.py", _text("python/service", words)
        yield f"plugin/provider/{answers.name}.py", _text("python/provider", words)
        for kind in answers.types:
            folder = kind.replace("-", "_")
            yield f"plugin/models/{folder}/{folder}.py", _text(f"python/{kind}", words)


_PROJECT = {
    "pyproject.toml": "pyproject.toml",
    "test_plugin.py": "tests/test_plugin.py",
    "env.example": ".env.example",
    "gitignore": ".gitignore",
    "README.md": "README.md",
    "ci.yaml": ".github/workflows/ci.yaml",
    "pre-commit.yaml": ".pre-commit-config.yaml",
}
"""The templates of a project's own files, and where each goes."""

INPUTS: Mapping[ModelType, str] = {
    ModelType.LLM: "'Hello'",
    ModelType.TEXT_EMBEDDING: "'Hello'",
    ModelType.RERANK: "'a cat' 'a dog' 'a kitten'",
    ModelType.SPEECH2TEXT: "hello.mp3",
    ModelType.TTS: "'Hello' -o hello.mp3",
}
"""What to try a model of each type with, on a command line."""


def _words(answers: Answers) -> dict[str, str]:
    fixed = answers.kind is Kind.HOSTED
    added = answers.kind not in _PREDEFINED
    fields = {
        Kind.OPENAI_COMPATIBLE: ("base_url", "api_key"),
        Kind.HOSTED: ("api_key",),
        Kind.OWN_PYTHON: ("api_key", "base_url"),
        Kind.XINFERENCE: ("server_url", "model_uid", "api_key"),
    }[answers.kind]
    return {
        "name": answers.name,
        "author": answers.author,
        "contact": answers.contact,
        "label": answers.label,
        "class_name": answers.class_name,
        "created": f"{answers.created:%Y-%m-%d}T00:00:00Z",
        "url": answers.base_url,
        "version": __version__,
        "first_type": answers.types[0].value,
        "first_input": INPUTS[answers.types[0]],
        "variables": "\n".join(f"# XINFER_{name.upper()}=" for name in fields),
        "destination": answers.label if fixed else "the server that you enter",
        "destination_zh": f" {answers.label}" if fixed else "你填写的服务器",
        "setup": _SETUP[added].format(label=answers.label),
        "setup_zh": _SETUP_ZH[added].format(label=answers.label),
    }


_SETUP = {
    True: "Add a model: *Settings → Model Provider → {label} → Add Model*.",
    False: "Enter your API key: *Settings → Model Provider → {label} → Set up*.",
}
_SETUP_ZH = {
    True: "添加模型：「设置 → 模型供应商 → {label} → 添加模型」。",
    False: "填写 API 密钥：「设置 → 模型供应商 → {label} → 配置」。",
}


def _declared(answers: Answers, words: Mapping[str, str]) -> dict[str, str]:
    """Return the models of the spec, and the credentials fields that only they need."""
    if answers.kind in _PREDEFINED:
        models = [
            _text(f"predefined/{kind}", {**words, **_model_words(answers, name)})
            for kind in answers.types
            for name in answers.models.get(kind, (f"{answers.name}-{_SAMPLES[kind]}",))
        ]
        return {"models": "".join(models), "fields": ""}
    only = answers.types == (ModelType.LLM,)
    shown_for = "" if only else 'show_on={"__model_type": "llm"}'
    fields = [
        _text("customizable/llm.fields", {"shown_for": shown_for})
        for kind in answers.types
        if kind is ModelType.LLM
    ]
    models = [_text(f"customizable/{kind}", words) for kind in answers.types]
    return {"models": "".join(models), "fields": "".join(fields)}


_SAMPLES = {
    ModelType.LLM: "large",
    ModelType.TEXT_EMBEDDING: "embedding",
    ModelType.RERANK: "rerank",
    ModelType.SPEECH2TEXT: "transcribe",
    ModelType.TTS: "speech",
}
"""What an example of each type is called, after the provider's name."""


def _model_words(answers: Answers, name: str) -> dict[str, str]:
    label = " ".join(part.capitalize() for part in re.split(r"[-_/]", name))
    size = answers.context_sizes.get(name, 32_768)
    return {"model": name, "model_label": label, "context_size": f"{size:_}"}


def _icons(answers: Answers) -> Iterator[tuple[str, str]]:
    """Draw the initials, in a colour that follows from the name, for light and dark."""
    initials = "".join(part[0] for part in re.split(r"[-_]", answers.name) if part)[:2].upper()
    colour = _COLOURS[sum(answers.name.encode()) % len(_COLOURS)]
    size = "32" if len(initials) == 1 else "26"
    for suffix, background, foreground in (
        ("en", colour, "#FFFFFF"),
        ("dark_en", "#FFFFFF", colour),
    ):
        words = {
            "initials": initials,
            "size": size,
            "background": background,
            "foreground": foreground,
        }
        yield f"plugin/_assets/icon_s_{suffix}.svg", _text("plugin/icon_s.svg", words)


class _Template(string.Template):
    delimiter = "%"


def _text(name: str, words: Mapping[str, str]) -> str:
    template = resources.files(__name__).joinpath(f"{name}.tmpl").read_text("utf-8")
    return _Template(template).substitute(words)


def _in_languages(text: str, languages: Sequence[str]) -> str:
    """Leave out the Chinese of a text where Chinese is not asked for, or says nothing new."""
    text = re.sub(r'I18n\(("(?:[^"\\]|\\.)*"), zh_Hans=\1\)', r"I18n(\1)", text)
    if "zh_Hans" in languages:
        return text
    return re.sub(r', zh_Hans="(?:[^"\\]|\\.)*"', "", text)


def _with_imports(text: str) -> str:
    """Import what the spec uses, after its docstring."""
    from xinfer import spec

    tree = ast.parse(text)
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    names = {node.id for node in nodes if isinstance(node.ctx, ast.Load)}
    lines = ["from decimal import Decimal", ""] if "Decimal" in names else []
    used = sorted(names & set(spec.__all__), key=_import_order)
    lines.append(f"from xinfer.spec import ({', '.join(used)},)")
    docstring, _, rest = text.partition("\n")
    return "\n".join([docstring, "", *lines, rest])


def _import_order(name: str) -> tuple[int, str]:
    """Order names as isort does: constants, classes, functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _finished(files: Mapping[str, str]) -> dict[str, str]:
    """Format the Python, and fill the tables of the documents from the spec."""
    from xinfer.build.load import load_spec
    from xinfer.cli.pages import updated
    from xinfer.ruff import run_ruff
    from xinfer.spec.project import complete

    python = [path for path in files if path.endswith(".py")]
    with tempfile.TemporaryDirectory(prefix="xinfer-") as name:
        folder = Path(name)
        write(files, folder)
        for command in (("check", "--select=I", "--fix", *_SOURCES), ("format",)):
            ran = run_ruff(*command, "--line-length=100", *python, folder=folder)
            ran.check_returncode()
        project = complete(load_spec(folder / "provider_spec.py").project)
        finished = {path: (folder / path).read_text("utf-8") for path in files}
    for path in finished:
        if path.endswith(".md"):
            language = "zh_Hans" if "zh_Hans" in path else "en_US"
            finished[path] = updated(finished[path], project, language)
    return finished


_SOURCES = ("--config", "src=['.', 'plugin']")
"""Tells the project's own modules from installed ones, as its pyproject.toml does."""


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write files into a folder, which is made where it is missing."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, "utf-8")
