"""What a check reports: which rule, what is wrong, who refuses it, where, and how to fix it."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from xinfer.spec.span import Span


class Severity(StrEnum):
    """How bad a finding is.

    ``refused``: the plugin is not built, packed or uploaded, or it does not start. ``broken``: it
    installs, and fails at run time. ``advice``: everything else, such as what remote debugging or
    the marketplace's review alone refuses.
    """

    REFUSED = "refused"
    BROKEN = "broken"
    ADVICE = "advice"


class Stage(StrEnum):
    """When a mistake shows: who refuses the plugin, or that it runs and misbehaves.

    ``build`` is xinfer's own, of what no YAML can say; ``check`` is its own, too, of suppressions.
    """

    CHECK = "check"
    BUILD = "build"
    PACKING = "packing"
    UPLOAD = "upload"
    START = "start"
    REMOTE_DEBUGGING = "remote debugging"
    REVIEW = "review"
    RUN_TIME = "run time"


@frozen
class Suppression:
    """Why a finding is left out.

    :param reason: as the author gives it.
    :param span: the comment, or the entry of the project's ``ignore``.
    """

    reason: str
    span: Span | None = None


@frozen(kw_only=True)
class Finding:
    """One mistake.

    :param where: the stage at which the mistake shows.
    :param fix: what to do, in the form that the author edits.
    :param path: which declared value, e.g. ``provider.help.url``.
    :param span: which characters of which file, as far as that is known.
    :param related: other places that the message speaks of.
    :param line: the text of the line that the span begins in.
    :param suppression: why the finding does not count, if it does not.
    """

    code: str
    severity: Severity
    where: Stage
    message: str
    fix: str
    path: str
    span: Span | None = None
    related: tuple[Span, ...] = ()
    line: str = ""
    suppression: Suppression | None = None


@frozen
class Report:
    """What a check finds.

    :param findings: those that count.
    :param suppressed: those that the author has decided to leave out.
    """

    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()

    @property
    def everything(self) -> tuple[Finding, ...]:
        """Both, in the order of files and lines."""
        return tuple(sorted((*self.findings, *self.suppressed), key=place_of))


def place_of(finding: Finding) -> tuple[str, int, int, str]:
    """Return what findings are sorted by."""
    span = finding.span
    return (span.file, span.line, span.column or 0, finding.code) if span else ("", 0, 0, "")
