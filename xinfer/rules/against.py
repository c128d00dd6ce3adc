"""Rules of a new version beside the one that users have: what becomes of stored credentials."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.diff import Change
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule


@rule(
    "XI801", Severity.ADVICE, Stage.RUN_TIME, fix="Declare a new field, and let the code read both."
)
def secret_retyped(change: Change, _: Subject) -> Iterator[Problem]:
    """A credential turned from a secret to plain text, or back; stored values do not follow.

    Dify encrypts by the type that the form has when users save, and decrypts by the one that it
    has when a model is called.
    """
    if change.retyped:
        yield Problem(f"{change.text}: {change.breaks}", of=change.of)


@rule(
    "XI802",
    Severity.ADVICE,
    Stage.RUN_TIME,
    fix="Keep what users have, or say so in the release note.",
)
def stored_broken(change: Change, _: Subject) -> Iterator[Problem]:
    """Something that users of the previous version have stored stops working."""
    if change.breaks and not change.retyped:
        yield Problem(f"{change.text}: {change.breaks}", of=change.of)


RULES = (
    secret_retyped,
    stored_broken,
)
