"""SARIF: every result has what code scanning asks for, whatever the rule."""

import json
import os
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from markdown.extensions.toc import slugify
from rules.plugins import lay

from xinfer.cli import main
from xinfer.cli.check import report_of, review_of
from xinfer.cli.sarif import sarif
from xinfer.cli.site import generated_pages
from xinfer.rules import RULES, Report
from xinfer.rules.examples import MANIFEST, MODEL, SPEC
from xinfer.rules.review import RULES as RULES_OF_REVIEW
from xinfer.rules.topics import TOPICS

SCHEMA = os.environ.get("XINFER_SARIF_SCHEMA")
"""The file of the format's JSON Schema, which is too large to be ours."""
BAD = [(rule, rule.bad[0]) for rule in RULES.values() if rule.bad]


def log_of(path, before=None, review=None):
    (text,) = sarif(Report(report_of(path, before, review=review).findings))
    log = json.loads(text)
    if SCHEMA:
        jsonschema.validate(log, json.loads(Path(SCHEMA).read_text("utf-8")))
    return log["runs"][0]


@pytest.mark.parametrize(("rule", "example"), BAD, ids=[rule.code for rule, _ in BAD])
def test_a_result_has_a_place_a_fingerprint_and_a_page(rule, example, tmp_path, monkeypatch):
    path, before, _ = lay(rule, example, tmp_path)
    monkeypatch.chdir(path if path.is_dir() else path.parent)
    listed = tmp_path / "versions.txt"
    review = review_of(listed if listed.exists() else None) if rule in RULES_OF_REVIEW else None
    run = log_of(path, before, review)
    (result,) = run["results"]
    (described,) = run["tool"]["driver"]["rules"]
    assert result["ruleId"] == described["id"] == rule.code
    assert result["message"]["text"].rstrip().endswith((".", "?", "!", '"', ")", "}", "]"))
    (location,) = (place["physicalLocation"] for place in result["locations"])
    uri, region = location["artifactLocation"]["uri"], location["region"]
    assert not uri.startswith(("/", "file:", "..")), "code scanning shows files of the repository"
    assert region["startLine"] >= 1
    assert region.get("startColumn", 1) >= 1
    if "endColumn" in region:
        begin = region["startLine"], region["startColumn"]
        assert begin <= (region["endLine"], region["endColumn"])
    assert len(result["partialFingerprints"]["xinfer/v1"]) == 64
    assert described["helpUri"].startswith("https://")
    assert result["properties"] == {"severity": str(rule.severity), "where": str(rule.where)}


def test_each_rule_has_a_heading_where_its_address_leads():
    pages = generated_pages()
    for rule in RULES.values():
        address, anchor = rule.url.split("#")
        page = pages[f"rules/{address.removesuffix('/').rpartition('/rules/')[2]}.md"]
        headings = [slugify(line[3:], "-") for line in page.splitlines() if line.startswith("## ")]
        assert headings.count(anchor) == 1
        assert f"| [{rule.code}]({address.split('/')[-2]}.md#{anchor}) |" in pages["rules/index.md"]


def test_each_generated_page_is_in_the_navigation():
    lines = (Path(__file__).parent.parent / "mkdocs.yml").read_text("utf-8").splitlines()
    nav = [line.strip().removeprefix("- ") for line in lines if line.endswith(".md")]
    listed = {line.rpartition(": ")[2]: line.rpartition(": ")[0] for line in nav}
    assert generated_pages().keys() <= listed.keys()
    for topic in TOPICS:
        assert listed[f"rules/{topic.name}.md"] == topic.title


def test_a_fingerprint_stays_when_lines_move_and_tells_equal_lines_apart(tmp_path):
    rules = "".join(
        f"  - name: {name}\n    type: int\n    min: 3\n    max: 2\n" for name in ("a", "b")
    )
    folder, _, _ = lay(None, {MODEL: f"parameter_rules:\n{rules}"}, tmp_path)

    def prints():
        return [result["partialFingerprints"]["xinfer/v1"] for result in log_of(folder)["results"]]

    before = prints()
    assert len(set(before)) == len(before) == 2
    (folder / MODEL).write_text("# A comment.\n\n" + (folder / MODEL).read_text())
    assert prints() == before


def test_what_is_about_the_plugin_points_at_the_project_or_the_manifest(tmp_path, monkeypatch):
    missing = {"plugin/README.md": None, SPEC: ""}
    path, _, _ = lay(None, missing, tmp_path)
    monkeypatch.chdir(path.parent)
    (result,) = log_of(path)["results"]
    assert result["ruleId"] == "XI509"
    location = result["locations"][0]["physicalLocation"]
    line = path.read_text().splitlines()[location["region"]["startLine"] - 1]
    assert (location["artifactLocation"]["uri"], line) == (SPEC, "project = Project(")
    folder, _, _ = lay(None, {"README.md": None}, tmp_path / "folder")
    monkeypatch.chdir(folder)
    location = log_of(Path())["results"][0]["locations"][0]["physicalLocation"]
    assert (location["artifactLocation"]["uri"], location["region"]["startLine"]) == (MANIFEST, 1)


def test_what_breaks_for_users_is_in_the_new_version(tmp_path, monkeypatch):
    old, _, _ = lay(None, {SPEC: ""}, tmp_path / "old")
    new, _, _ = lay(
        None,
        {
            SPEC: "class AcmeCredentials(Credentials):\n"
            '    api_key: str = text_input(label=I18n("API key", zh_Hans="API Key"))\n'
        },
        tmp_path / "new",
    )
    monkeypatch.chdir(new.parent)
    done = CliRunner().invoke(main, ["check", "--format", "sarif", "--against", str(old)])
    (run,) = json.loads(done.output)["runs"]
    (result,) = (each for each in run["results"] if each["ruleId"] == "XI801")
    location = result["locations"][0]["physicalLocation"]
    line = new.read_text().splitlines()[location["region"]["startLine"] - 1]
    assert location["artifactLocation"]["uri"] == SPEC
    assert line.strip().startswith("api_key: str = text_input(")
