"""Every rule's examples: a bad one gives its finding alone, where it is marked; a good one none."""

import os
from pathlib import Path

import pytest
from rules.overlay import overlay_python, overlay_yaml
from rules.plugins import Mark, lay, marks_of
from rules.valid_plugin import YAML

from xinfer.cli.check import report_of, review_of
from xinfer.rules import RULES
from xinfer.rules.review import RULES as RULES_OF_REVIEW

BAD = [(r, e) for r in RULES.values() for e in r.bad]
GOOD = [(r, e) for r in RULES.values() for e in r.good]


def ids(examples):
    return [f"{rule.code}-{number}" for number, (rule, _) in enumerate(examples)]


def check_example(rule, example, folder):
    path, before, marks = lay(rule, example, folder)
    listed = folder / "versions.txt"
    review = review_of(listed if listed.exists() else None) if rule in RULES_OF_REVIEW else None
    findings = report_of(path, before, review=review).findings
    root = path if path.is_dir() else path.parent
    return findings, marks, root


def place(span, root):
    """Return what a span covers as a mark, with the file as the plugin names it."""
    file = os.path.relpath(span.file, root) if Path(span.file).is_absolute() else span.file
    end = (span.end_line or span.line, span.end_column or span.column)
    return Mark(Path(file).as_posix(), span.line, span.column, *end)


@pytest.mark.parametrize(("rule", "example"), BAD, ids=ids(BAD))
def test_a_bad_example_has_exactly_its_finding(rule, example, tmp_path):
    findings, marks, root = check_example(rule, example, tmp_path)
    assert [(f.code, f.severity, f.where) for f in findings] == [
        (rule.code, rule.severity, rule.where)
    ], [f"{f.code} {f.message}" for f in findings]
    (finding,) = findings
    if marks:
        assert [place(finding.span, root)] == marks
    else:
        assert (finding.span.line, finding.span.column) == (1, 1)


@pytest.mark.parametrize(("rule", "example"), GOOD, ids=ids(GOOD))
def test_a_good_example_has_no_finding(rule, example, tmp_path):
    findings, _, _ = check_example(rule, example, tmp_path)
    assert [f"{f.code} {f.message}" for f in findings] == []


def test_the_small_plugins_have_no_findings(tmp_path):
    rule = RULES["XI101"]
    for form in ("manifest.yaml", "provider_spec.py"):
        path, _, _ = lay(rule, {form: ""}, tmp_path / form)
        assert [f"{f.code} {f.message} {f.span}" for f in report_of(path).findings] == []


def test_a_fragment_replaces_what_it_names():
    laid = overlay_yaml("a: 1\nb:\n  c: 2\n  d:\n    - 3\n", "b:\n  «d»: [4]\ne: 5\n")
    assert laid == "a: 1\nb:\n  c: 2\n  «d»: [4]\ne: 5\n"
    assert marks_of("f", laid) == [Mark("f", 4, 3, 4, 4)]
    laid = overlay_python(
        "class A:\n    def f(self):\n        pass\n\n    def g(self):\n        pass\n\n\nx = 1\n",
        "import y\n\n\nclass A:\n    ...\n\n    def f(self):\n        «y»()\n\nx = 2\n",
    )
    assert laid == (
        "import y\nclass A:\n    def f(self):\n        «y»()\n\n"
        "    def g(self):\n        pass\n\n\nx = 2\n"
    )


def test_each_file_of_the_small_plugin_is_laid_over():
    assert all(not text or text.endswith("\n") for text in YAML.values())
