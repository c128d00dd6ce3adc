"""Pages of the documentation's site that are made from code: the commands, and the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xinfer.rules import Rule
    from xinfer.rules.topics import Topic


def generated_pages() -> Mapping[str, str]:
    """Return the text of each page, as Markdown, by its path below ``docs``."""
    from xinfer.rules.topics import TOPICS

    return {
        "reference/commands.md": commands_page(),
        "rules/index.md": rules_page(),
        **{f"rules/{topic.name}.md": topic_page(topic) for topic in TOPICS},
    }


def commands_page() -> str:
    """Write the help of every command, as Markdown."""
    import click

    from xinfer.cli import main

    context = click.Context(main, info_name="xinfer")
    parts = ["# Commands", "Each command's help. `-h` and `--help` print it."]
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        if command is not None:
            child = click.Context(command, context, name, terminal_width=88)
            text = command.get_help(child).replace("\b\n", "")
            parts += [f"## xinfer {name}", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def rules_page() -> str:
    """Write the table of contents of the rules."""
    from xinfer.rules.topics import TOPICS

    parts = [
        "# Rules",
        "What `xinfer check` finds. `xinfer explain CODE` prints the page of a rule.",
    ]
    for topic in TOPICS:
        rows = (f"| {_link(rule)} | {rule.severity} | {rule.summary} |" for rule in _rules(topic))
        parts += [
            f"## {topic.title}",
            "\n".join(("| Code | Severity | Finding |", "| --- | --- | --- |", *rows)),
        ]
    return "\n\n".join(parts) + "\n"


def topic_page(topic: Topic) -> str:
    """Write the pages of a topic's rules as one."""
    from xinfer.cli.explain import page

    return "\n".join((f"# {topic.title}\n", *map(page, _rules(topic))))


def _rules(topic: Topic) -> Iterator[Rule]:
    from xinfer.rules import RULES

    return (rule for rule in RULES.values() if rule.code.startswith(topic.codes))


def _link(rule: Rule) -> str:
    name, _, anchor = rule.page.partition("/#")
    return f"[{rule.code}]({name}.md#{anchor})"
