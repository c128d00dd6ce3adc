"""``xinfer init``: from an empty folder to a provider that answers."""

from __future__ import annotations

import difflib
import getpass
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import click

from xinfer.cli.options import LANGUAGES, UnusableInput, counted, examples

if TYPE_CHECKING:
    from xinfer.cli.templates import Answers

_KINDS = ("openai-compatible", "hosted", "own-python", "xinference")
_TYPES = ("llm", "text-embedding", "rerank", "speech2text", "tts")
_NAME = re.compile(r"[a-z0-9_-]{1,128}")
"""What Dify accepts as a plugin's name."""
_SECONDS = 10


@click.command(
    epilog=examples(
        "xinfer init acme",
        "xinfer init acme --kind hosted --type llm --type rerank --language zh_Hans",
        "xinfer init acme --from-url http://192.168.1.100:8000/v1",
        "xinfer init --diff",
    )
)
@click.argument("name", required=False)
@click.option("--author", help="Your name in the marketplace, e.g. acme-corp.")
@click.option("--contact", help="Where users reach you; by default the e-mail address of git.")
@click.option("--kind", type=click.Choice(_KINDS), help="What the provider talks to.")
@click.option("--type", "types", type=click.Choice(_TYPES), multiple=True, help="A model type.")
@click.option(
    "--language",
    "languages",
    type=click.Choice(LANGUAGES),
    multiple=True,
    help="A language of the form besides English.",
)
@click.option("--from-url", "url", help="A running server, whose models are asked for.")
@click.option("--key", envvar="XINFER_API_KEY", help="The API key that the server needs.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to make; by default one of the provider's name, here.",
)
@click.option("--diff", is_flag=True, help="Show what today's templates would write here instead.")
def init(
    name: str | None,
    author: str | None,
    contact: str | None,
    kind: str | None,
    types: tuple[str, ...],
    languages: tuple[str, ...],
    url: str | None,
    key: str | None,
    out: Path | None,
    *,
    diff: bool,
) -> None:
    """Write a new provider into a folder of its own.

    What is not given is asked for, or has a default where there is no terminal. The result builds,
    passes xinfer check and its own tests, and answers xinfer invoke at once.
    """
    from xinfer.cli.templates import INPUTS, Answers, Kind, render, write
    from xinfer.spec import ModelType

    if diff:
        _show_changes(out or Path())
        return
    name = _accepted(name or _ask("Name of the provider, e.g. acme", None), "name")
    folder = _free(out or Path(name))
    author = _accepted(author or _ask("Author", _user()), "author")
    kind = kind or _choose("Kind", _KINDS, "openai-compatible")
    answers = Answers(
        name=name,
        author=author,
        kind=Kind(kind),
        types=tuple(map(ModelType, types or ())),
        languages=tuple(dict.fromkeys(("en_US", *languages))),
        created=datetime.now(UTC).date(),
        contact=contact or _email() or f"{author}@example.com",
    )
    if url is not None:
        answers = _completed_by_server(answers, url.rstrip("/"), key)
    if not answers.types:
        answers = _with(answers, types=_choose_types())
    if not languages and sys.stdin.isatty() and click.confirm("Chinese labels too?", err=True):
        answers = _with(answers, languages=LANGUAGES)
    files = render(answers)
    try:
        write(files, folder)
    except OSError as error:
        raise UnusableInput(f"{folder} cannot be written: {error.strerror}.") from error
    click.echo(f"Wrote {folder} ({counted(len(files), 'file')}). Next:")
    for step in (
        f"cd {folder}",
        f"uv run xinfer invoke {answers.types[0]} {INPUTS[answers.types[0]]}",
        "uv run pytest",
        "uv run xinfer build",
    ):
        click.echo(f"    {step}")


def _accepted(name: str, noun: str) -> str:
    """Return a name if Dify accepts it.

    :raises UnusableInput: Dify does not.
    """
    if not _NAME.fullmatch(name):
        raise UnusableInput(
            f"The {noun} {name!r} is refused by Dify: use lower-case letters, digits, - and _."
        )
    return name


def _free(folder: Path) -> Path:
    """Return a folder if a project can be written there.

    :raises UnusableInput: something is there already.
    """
    if folder.exists() and not folder.is_dir():
        raise UnusableInput(f"{folder} is a file: choose another name, or another --out.")
    if folder.exists() and any(folder.iterdir()):
        raise UnusableInput(f"{folder} is not empty: choose another name, or another --out.")
    return folder


def _with(answers: Answers, **changes: Any) -> Answers:
    from attrs import evolve

    return evolve(answers, **changes)


def _user() -> str:
    try:
        user = getpass.getuser()
    except OSError:
        user = ""
    return re.sub(r"[^a-z0-9_-]", "-", user.lower()) or "me"


def _email() -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "config", "user.email"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603


def _ask(question: str, default: str | None) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(question, default=default, err=True))
    if default is None:
        raise UnusableInput("Name the provider, e.g. xinfer init acme.")
    return default


def _choose(question: str, choices: tuple[str, ...], default: str) -> str:
    if not sys.stdin.isatty():
        return default
    from xinfer.cli.templates import KINDS

    for kind, purpose in KINDS.items():
        click.echo(f"  {kind:<18} {purpose}", err=True)
    return str(click.prompt(question, type=click.Choice(choices), default=default, err=True))


def _choose_types() -> tuple[Any, ...]:
    from xinfer.spec import ModelType

    if not sys.stdin.isatty():
        return (ModelType.LLM,)
    while True:
        answer = click.prompt(
            f"Model types, separated by commas ({', '.join(_TYPES)})", default="llm", err=True
        )
        chosen = [text.strip() for text in answer.split(",")]
        if all(text in _TYPES for text in chosen):
            return tuple(ModelType(text) for text in dict.fromkeys(chosen))
        click.echo(f"Choose from {', '.join(_TYPES)}.", err=True)


def _completed_by_server(answers: Answers, url: str, key: str | None) -> Answers:
    """Ask a server for its models, and declare what it reports.

    :raises UnusableInput: it does not answer with a list of models.
    """
    rows = _models_at(url if url.endswith("/v1") else f"{url}/v1", key)
    from xinfer.cli.templates import Kind
    from xinfer.spec import ModelType

    names: dict[str, list[str]] = {}
    sizes: dict[str, int] = {}
    for row in rows:
        names.setdefault(_type_of(row), []).append(row["id"])
        size = next((row[k] for k in _SIZES if isinstance(row.get(k), int)), None)
        sizes |= {row["id"]: size} if size else {}
    types = answers.types or [ModelType(kind) for kind in _TYPES if kind in names]
    first = ", ".join(str(row["id"]) for row in rows[:5])
    click.echo(f"{url} runs {counted(len(rows), 'model')}: {first}.", err=True)
    base = url.removesuffix("/v1") if answers.kind is Kind.XINFERENCE else url
    return _with(
        answers,
        url=base,
        types=tuple(types),
        models={kind: tuple(ids) for kind, ids in names.items() if kind in types},
        context_sizes=sizes,
    )


_SIZES = ("context_length", "max_model_len", "context_window", "max_context_length")
"""What servers call the context size in their list of models."""


def _models_at(base: str, key: str | None) -> list[dict[str, Any]]:
    if not base.startswith(("http://", "https://")):
        raise UnusableInput(f"{base} is not a URL: begin with http:// or https://.")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with urlopen(Request(f"{base}/models", headers=headers), timeout=_SECONDS) as response:  # noqa: S310
            listed = json.load(response)
    except (URLError, OSError, ValueError) as error:
        hint = " Give its key with --key." if getattr(error, "code", None) == 401 else ""
        raise UnusableInput(f"{base}/models does not list models: {error}.{hint}") from error
    rows = listed.get("data") if isinstance(listed, dict) else None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and "id" in r for r in rows):
        raise UnusableInput(f"{base}/models does not list models: it has no data with ids.")
    return rows


def _type_of(row: dict[str, Any]) -> str:
    """Guess a model's type from what its server says, else from its name."""
    parts = [row.get("model_type", ""), *(row.get("model_ability") or ()), row["id"]]
    text = " ".join(map(str, parts)).lower()
    return next((kind for kind, words in _WORDS.items() if any(w in text for w in words)), "llm")


_WORDS = {
    "rerank": ("rerank",),
    "text-embedding": ("embed", "bge-", "gte-", "e5-"),
    "speech2text": ("audio2text", "whisper", "transcri"),
    "tts": ("text2audio", "tts", "kokoro", "cosyvoice"),
}


def _show_changes(folder: Path) -> None:
    """Print what today's templates would write, as a diff, and exit with 1 if anything."""
    from xinfer.cli.templates import ANSWERS, Answers, render

    file_of_answers = folder / ANSWERS
    if not file_of_answers.is_file():
        raise UnusableInput(f"There is no {file_of_answers}: xinfer init keeps its answers there.")
    try:
        answers = Answers.from_toml(file_of_answers.read_text("utf-8"))
    except ValueError as error:
        raise UnusableInput(f"{file_of_answers} is {error}.") from error
    changed = False
    for path, text in render(answers).items():
        file = folder / path
        before = file.read_text("utf-8") if file.is_file() else ""
        for line in difflib.unified_diff(
            before.splitlines(), text.splitlines(), path, path, lineterm=""
        ):
            click.echo(line)
            changed = True
    if not changed:
        click.echo("Nothing differs from today's templates.")
    raise SystemExit(1 if changed else 0)
