"""``xinfer explain``: the page of a rule."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import click

from xinfer.cli.options import UnusableInput, examples

if TYPE_CHECKING:
    from xinfer.rules import Rule
    from xinfer.rules.rule import Example

_MEANS = {
    "refused": "the plugin is not packed, not uploaded or does not start.",
    "broken": "the plugin installs, and fails at run time.",
    "advice": "the plugin works; users or reviewers run into it.",
}


@click.command(epilog=examples("xinfer explain XI425", "xinfer explain"))
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="Print the pages of all rules, as Markdown.")
@click.option(
    "--missing", is_flag=True, help="List the rules without a source, a bad or a good example."
)
def explain(code: str | None, *, every: bool, missing: bool) -> None:
    """Explain a rule: what it finds, what comes of it, and how to fix it.

    Without CODE, list the rules.
    """
    from xinfer.cli.site import topic_page
    from xinfer.rules import RULES
    from xinfer.rules.topics import TOPICS

    if every:
        click.echo("\n".join(map(topic_page, TOPICS)), nl=False)
    elif missing:
        for rule in RULES.values():
            if lacks := [name for name in ("source", "bad", "good") if not getattr(rule, name)]:
                click.echo(f"{rule.code} {rule.name}: no {', '.join(lacks)}")
    elif code is None:
        for rule in RULES.values():
            click.echo(f"{rule.code} {rule.severity:<7} {rule.summary}")
    elif code.upper() in RULES:
        click.echo(page(RULES[code.upper()]), nl=False)
    else:
        raise UnusableInput(f"There is no rule {code}: xinfer explain lists them.")


def page(rule: Rule) -> str:
    """Write the page of one rule, as Markdown."""
    from xinfer.rules import Form

    fixes = dict.fromkeys(map(rule.fix, Form))
    parts = [
        f"## {rule.code}: {rule.name}",
        rule.summary,
        rule.why,
        f"**{rule.severity.capitalize()}** at {rule.where}: {_MEANS[rule.severity]}",
        f"**Source**: {rule.source}" if rule.source else "",
        *_example("Bad", rule, rule.bad),
        *_example("Good", rule, rule.good),
        "**Fix**: " + " In YAML: ".join(fixes),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _example(title: str, rule: Rule, examples: tuple[Example, ...]) -> Iterator[str]:
    """Write the first of a rule's examples, without the marks of what a finding points at."""
    from xinfer.rules.examples import own_file
    from xinfer.rules.rule import Link

    for example in examples[:1]:
        files = {own_file(rule): example} if isinstance(example, str) else example
        if len(files) > _MOST_FILES:
            yield f"**{title}**: {len(files):,} files"
            continue
        for path, text in files.items():
            name = f" `{path.translate(_MARKS)}`"
            if text is None:
                yield f"**{title}**:{name} is missing"
            elif isinstance(text, Link):
                yield f"**{title}**:{name} is a link to `{text}`"
            elif isinstance(text, int):
                yield f"**{title}**:{name} has {text:,} bytes"
            elif isinstance(text, tuple):
                yield f"**{title}**:{name} is there {len(text)} times"
            else:
                language = _LANGUAGES.get(PurePosixPath(path).suffix, "text")
                lines = text.translate(_MARKS).strip("\n")
                fence = "````" if "```" in lines else "```"
                yield f"**{title}**:{name}\n\n{fence}{language}\n{lines}\n{fence}"


_MOST_FILES = 8
"""Files of an example that a page shows."""
_LANGUAGES = {".py": "python", ".toml": "toml", ".yaml": "yaml"}
_MARKS = str.maketrans("", "", "«»")
