"""A provider's documentation from its spec: what it says, and what it leaves to the author."""

import shutil

import pytest
from command_line import ROOT, xinfer

from xinfer.build.load import load_spec
from xinfer.cli.pages import SECTIONS, page, updated
from xinfer.spec.project import complete


@pytest.fixture(scope="module")
def tariff():
    return complete(load_spec(ROOT / "examples/tariff/provider_spec.py").project)


@pytest.fixture(scope="module")
def xinference():
    return complete(load_spec(ROOT / "provider_spec.py").project)


def test_prices_are_those_of_a_million_tokens(tariff):
    table = SECTIONS["models"](tariff, "en_US")
    assert "| `tariff-sage` | LLM | 200,000 |" in table
    assert table.splitlines()[-1].endswith("| 2.5 USD / 1M | 10 USD / 1M |")


def test_parameters_that_models_share_are_one_row(tariff):
    rows = SECTIONS["parameters"](tariff, "en_US").splitlines()
    (temperature,) = [row for row in rows if "`temperature`" in row]
    assert temperature.endswith("| 1 | ≤ 2 | `tariff-swift`, `tariff-sage` |")
    assert [row.split("|")[3].strip() for row in rows if "`max_tokens`" in row] == [
        "≤ 8192",
        "≤ 65536",
    ]
    (effort,) = [row for row in rows if "`reasoning_effort`" in row]
    assert "| low, medium, high |" in effort


def test_a_field_says_which_types_it_is_for_and_that_it_is_secret(xinference):
    rows = SECTIONS["fields"](xinference, "en_US").splitlines()
    (key,) = [row for row in rows if "**API key**" in row]
    assert key.startswith("| **API key** | no |  | all models |")
    assert "stored encrypted" in key
    (voices,) = [row for row in rows if "**Voices**" in row]
    assert "| TTS |" in voices


def test_every_language_has_its_own_words(xinference):
    chinese = page(xinference, "zh_Hans")
    assert "## 字段" in chinese
    assert "| **API 密钥** | 否 |  | 所有模型 |" in chinese


DOCUMENT = """\
Before.

<!-- xinfer docs: fields -->
| Field | Required | Value |
| --- | --- | --- |
| **API key** | maybe | From your account page, section *Keys*. |
| **Gone** | yes | No longer there. |
<!-- xinfer docs: end -->

After.
"""


def test_a_table_takes_its_facts_from_the_spec_and_keeps_the_authors_words(tariff):
    once = updated(DOCUMENT, tariff, "en_US")
    (row,) = [line for line in once.splitlines() if "**API key**" in line]
    assert row == "| **API key** | yes |  | all models | From your account page, section *Keys*. |"
    assert "Gone" not in once
    assert "**Base URL**" in once
    assert once.startswith("Before.\n")
    assert once.endswith("\nAfter.\n")
    assert updated(once, tariff, "en_US") == once


def test_a_document_without_marks_stays(tariff):
    assert updated("# Mine\n", tariff, "en_US") == "# Mine\n"


def test_check_reports_a_stale_document_and_changes_nothing(tmp_path):
    project = shutil.copytree(ROOT / "examples/tariff", tmp_path / "tariff")
    readme = project / "README_zh_Hans.md"
    readme.write_text(DOCUMENT, "utf-8")
    stale = xinfer("docs", "--update", readme.name, "--check", cwd=project)
    assert stale.returncode == 1
    assert "README_zh_Hans.md is out of date: run xinfer docs --update" in stale.stderr
    assert readme.read_text("utf-8") == DOCUMENT
    assert xinfer("docs", "--update", readme.name, cwd=project).returncode == 0
    assert "| 字段 | 必填 |" in readme.read_text("utf-8")
    assert xinfer("docs", "--update", readme.name, "--check", cwd=project).returncode == 0
