"""A baseline: what a check finds today is suppressed, line by line; what is new is found."""

import re
import subprocess
import sys
from itertools import count

import pytest
from click.testing import CliRunner
from rules.plugins import lay
from rules.valid_plugin import YAML

from xinfer.build.preparation import plugin, prepare
from xinfer.cli import main
from xinfer.importer import import_plugin, write_spec
from xinfer.plugin.read import read_plugin
from xinfer.rules import check, report
from xinfer.rules.examples import MANIFEST, MODEL, PROVIDER, PYTHON, SPEC

FAULTS = {
    MANIFEST: "version: v1\nprivacy: PRIVACIE.md\n",
    MODEL: "model_properties:\n  context_size: 0\nparameter_rules:\n"
    "  - name: temperature\n    use_template: temperature\n    min: 3\n    max: 2\n",
    PYTHON: "import reqests\n",
    "README.md": "# Acme\n",
}


@pytest.fixture
def folder(tmp_path):
    return lay(None, FAULTS, tmp_path)[0]


@pytest.fixture
def written(tmp_path):
    """Write a plugin of files laid over the small one, each time into another folder."""
    folders = (tmp_path / str(number) for number in count())
    return lambda files: lay(None, files, next(folders))[0]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def suppressions(folder):
    """Every comment and entry, by file and what the line below holds."""
    return {
        (path.relative_to(folder).as_posix(), lines[number + 1].strip()): line.strip()
        for path in sorted(folder.rglob("*.*"))
        if path.suffix in (".py", ".yaml")
        for lines in [path.read_text().splitlines()]
        for number, line in enumerate(lines)
        if "# xinfer: ignore" in line
    }


def test_an_import_with_a_baseline_has_no_findings(folder, tmp_path):
    before = check(read_plugin(folder))
    done = run("import", "--baseline", folder, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    remaining = report(plugin(tmp_path / "out" / SPEC))
    assert remaining.findings == ()
    assert {f.code for f in remaining.suppressed} == {f.code for f in before}
    for finding in remaining.suppressed:
        assert finding.message in finding.suppression.reason
    written = suppressions(tmp_path / "out")
    assert written[SPEC, 'version="v1",'].startswith("# xinfer: ignore[XI101] the version 'v1' ")
    assert written[f"plugin/{PYTHON}", "import reqests"].startswith("# xinfer: ignore[XI605] ")
    spec = (tmp_path / "out" / SPEC).read_text()
    entry = re.search(r'Ignore\(\s*"plugin/README\.md",\s*"XI512",\s*reason="(.*)"', spec)
    assert entry[1] == "README.md does not link https://example.com/acme/dify"


def test_a_baseline_is_formatted_and_changes_nothing_that_is_built(folder, tmp_path):
    read = import_plugin(read_plugin(folder))
    plain, suppressed = (
        write_spec(read, tmp_path / str(baseline), baseline=baseline) for baseline in (False, True)
    )
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100", "--check"]
    subprocess.run([*ruff, str(suppressed)], check=True, capture_output=True)
    trees = [prepare(spec).tree for spec in (plain, suppressed)]
    yaml = [{path: t[path] for path in t if path.endswith(".yaml")} for t in trees]
    assert yaml[0] == yaml[1]


def test_a_second_baseline_writes_nothing(folder, tmp_path):
    run("import", "--baseline", folder, "-o", tmp_path / "out")
    before = {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}
    done = run("check", "--baseline", tmp_path / "out" / SPEC)
    assert done.output.startswith("Suppressed 0 findings in comments.\nNo findings. ")
    assert before == {p: p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()}


def imported(folder, out):
    return write_spec(import_plugin(read_plugin(folder)), out, baseline=True)


def test_arguments_on_one_line_get_a_line_each(written, tmp_path):
    permission = "{tool: {enabled: true}, model: {enabled: true, llm: true}}"
    folder = written({MANIFEST: f"resource:\n  permission: {permission}\n"})
    assert check(plugin(imported(folder, tmp_path / "out"))) == ()
    lines = {below: line for (_, below), line in suppressions(tmp_path / "out").items()}
    assert lines["tool=Allowed(enabled=True),"].startswith("# xinfer: ignore[XI109] a model plugin")


def test_no_text_of_a_plugin_leaves_its_comment(written, tmp_path):
    name = r"a\nimport os; os.abort()\n# \u2028"
    provider = YAML[PROVIDER].replace("variable: api_key", f'variable: "{name}"')
    spec = imported(written({PROVIDER: provider}), tmp_path / "out")
    assert not re.search(r"^import os", spec.read_text(), re.MULTILINE)
    assert check(plugin(spec)) == ()


def test_a_folder_gets_comments_and_what_is_new_is_found(folder):
    done = run("check", "--baseline", folder)
    assert done.exit_code == 0, done.output
    assert "No findings. " in done.output
    manifest = folder / MANIFEST
    first, second, *_ = manifest.read_text().splitlines()
    assert first.startswith("# xinfer: ignore[XI512, XI101] README.md does not link ")
    assert first.endswith("; the version 'v1' is not of the form 1.2.3")
    assert second == "version: v1"
    manifest.write_text(manifest.read_text().replace("author: acme", "author: Acme"))
    assert [finding.code for finding in check(read_plugin(folder))] == ["XI102"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# -*- coding: utf-8 -*-\n{}", "# -*- coding: utf-8 -*-\n{comment}\n{}"),
        (
            "#!/usr/bin/env python\n# coding: utf-8\n{}",
            "#!/usr/bin/env python\n# coding: utf-8\n{comment}\n{}",
        ),
        ("\ufeff{}", "\ufeff{comment}\n{}"),
        ("class A:\r\n\t{}\r\n", "class A:\r\n\t{comment}\r\n\t{}\r\n"),
    ],
)
def test_the_layout_of_a_file_stays(written, before, after):
    folder = written({})
    wrong = "import reqests  # of ours"
    rest = YAML[PYTHON].replace("\n", "\r\n") if "\r" in before else f"\n{YAML[PYTHON]}"
    (folder / PYTHON).write_bytes((before.format(wrong) + rest).encode())
    (finding,) = check(read_plugin(folder))
    run("check", "--baseline", folder)
    comment = f"# xinfer: ignore[{finding.code}] {finding.message}"
    assert (folder / PYTHON).read_bytes().decode() == after.format(wrong, comment=comment) + rest
    assert check(read_plugin(folder)) == ()


def test_what_cannot_have_a_comment_is_left(written):
    folder = written({})
    gbk = f"# coding: gbk\nimport reqests  # 模型\n{YAML[PYTHON]}".encode("gbk")
    (folder / PYTHON).write_bytes(gbk)
    assert "nothing provides reqests" in run("check", "--baseline", folder).output
    assert (folder / PYTHON).read_bytes() == gbk
    continued = f"import \\\n    reqests\n{YAML[PYTHON]}"
    (folder / PYTHON).write_text(continued)
    assert "nothing provides reqests" in run("check", "--baseline", folder).output
    assert (folder / PYTHON).read_text() == continued


def test_a_secret_is_never_suppressed_by_the_way(written):
    folder = written({"server.key": "x\n"})
    done = run("check", "--baseline", folder)
    assert (done.exit_code, "Suppressed 0 findings" in done.output) == (1, True)
    assert "refused (build) XI505" in done.output


def test_entries_are_offered_for_files_without_comments(written):
    spec = written({SPEC: "", "plugin/README.md": "# Acme\n"})
    done = run("check", "--baseline", spec)
    offered = (
        "Ignore(files='plugin/README.md', code='XI512', "
        "reason='README.md does not link https://example.com/acme/dify'),"
    )
    assert f"For ignore= of the project: {offered}" in done.output


def test_a_package_has_no_baseline(tmp_path):
    package = tmp_path / "acme.difypkg"
    package.write_bytes(b"x")
    done = run("check", "--baseline", package)
    assert done.exit_code == 2
    assert done.output.endswith("is a package. --baseline edits the files of a folder or spec.\n")
