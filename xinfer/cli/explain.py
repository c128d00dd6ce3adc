"""``xinfer explain``: the page of a rule."""

from __future__ import annotations

import click

from xinfer.cli.options import UnusableInput
from xinfer.rules import Rule, catalogue

_MEANS = {
    "refused": "A gate refuses the plugin.",
    "broken": "Every gate lets it pass, and it fails later.",
    "advice": "Users, or the marketplace's review, trip over it.",
}


@click.command
@click.argument("code", required=False)
@click.option("--all", "every", is_flag=True, help="Write the pages of all rules, as Markdown.")
def explain(code: str | None, *, every: bool) -> None:
    """Say what a rule finds, what comes of it, and how to mend it.

    Without CODE the rules are listed.
    """
    rules = {rule.code: rule for rule in catalogue()}
    if every:
        click.echo(pages(), nl=False)
    elif code is None:
        for rule in rules.values():
            click.echo(f"{rule.code} {rule.severity:<7} {rule.summary}")
    elif code.upper() in rules:
        click.echo(page(rules[code.upper()]), nl=False)
    else:
        raise UnusableInput(f"There is no rule {code}: xinfer explain lists them.")


def page(rule: Rule) -> str:
    """Write the page of one rule, as Markdown."""
    why = f"{rule.why}\n\n" if rule.why else ""
    return (
        f"## {rule.code}: {rule.name}\n\n{rule.summary}\n\n{why}"
        f"**{rule.severity.capitalize()}**: {_MEANS[rule.severity]}\n\n**Cure**: {rule.fix}\n"
    )


def pages() -> str:
    """Write the pages of all rules: what ``docs/checks.md`` holds."""
    listed = "\n".join(page(rule) for rule in catalogue())
    return f"# What `xinfer check` finds\n\nMade by `xinfer explain --all`.\n\n{listed}"
