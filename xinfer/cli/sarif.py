"""Findings as SARIF 2.1.0, which code scanning reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from xinfer.cli.options import relative, sentence
from xinfer.cli.terminal import json_text
from xinfer.rules import RULES, Finding, Report, Severity
from xinfer.spec.span import Span

_LEVELS = {Severity.REFUSED: "error", Severity.BROKEN: "error", Severity.ADVICE: "note"}


def sarif(report: Report) -> Iterable[str]:
    """Write a log of one run; suppressed findings name the suppression and its reason."""
    findings = report.everything
    codes = sorted({finding.code for finding in findings})
    driver = {
        "name": "xinfer",
        "informationUri": "https://github.com/xinfer/xinfer",
        "rules": list(map(_rule, codes)),
    }
    prints = _fingerprints(findings)
    results = [
        _result(finding, codes.index(finding.code), fingerprint)
        for finding, fingerprint in zip(findings, prints, strict=True)
    ]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
        ],
    }
    yield json_text(log, indent=2)


def _rule(code: str) -> dict[str, object]:
    rule = RULES[code]
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": f"{rule.summary} {rule.why}".rstrip()},
        "help": {"text": rule.fixes.spec},
        "helpUri": rule.url,
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int, fingerprint: str) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{sentence(finding.message)} {finding.fix}".rstrip()},
        "partialFingerprints": {"xinfer/v1": fingerprint},
        "properties": {"severity": finding.severity.value, "where": finding.where.value},
    }
    if span := finding.span:
        result["locations"] = [_location(span)]
        related = [(caller, "called from here") for caller in span.callers]
        related += [(other, "see here") for other in finding.related]
        if related:
            result["relatedLocations"] = [
                _location(other) | {"message": {"text": text}} for other, text in related
            ]
    if finding.suppression:
        result["suppressions"] = [
            {
                "kind": "inSource",
                "justification": finding.suppression.reason,
                **({"location": _location(place)} if (place := finding.suppression.span) else {}),
            }
        ]
    return result


def _location(span: Span) -> dict[str, object]:
    region = {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }
    located = {
        "artifactLocation": {"uri": quote(Path(relative(span.file)).as_posix())},
        "region": {key: value for key, value in region.items() if value is not None},
    }
    return {"physicalLocation": located}


def _fingerprints(findings: Sequence[Finding]) -> Iterator[str]:
    """Tell findings apart by what does not change when lines are added above them.

    That is the rule, the file and the text of the line; of several alike, the order.
    """
    counts: Counter[tuple[str, ...]] = Counter()
    for finding in findings:
        file = relative(finding.span.file) if finding.span else ""
        what = finding.code, file, finding.line.strip()
        counts[what] += 1
        yield sha256("\0".join((*what, str(counts[what]))).encode()).hexdigest()
