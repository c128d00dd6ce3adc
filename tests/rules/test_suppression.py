"""Findings that an author leaves out: in each form and format, and what may not hide them."""

import json
import re
from itertools import count

import pytest
from click.testing import CliRunner
from rules.plugins import lay
from rules.valid_plugin import DECLARED_MANIFEST, YAML

from xinfer.cli import main
from xinfer.cli.check import report_of
from xinfer.cli.report import show, summary
from xinfer.plugin.archive import pack
from xinfer.plugin.comments import comments_of
from xinfer.plugin.read import plugin_files
from xinfer.rules import Selection
from xinfer.rules.examples import MANIFEST, MODEL, PYPROJECT, PYTHON, SPEC

WRONG = "version: v1"
"""What XI101 refuses."""


@pytest.fixture
def report(tmp_path):
    """Check the small plugin with some of its files laid over."""

    folders = (tmp_path / str(number) for number in count())

    def of(files, **options):
        path, before, _ = lay(None, files, next(folders))
        return report_of(path, before, **options)

    return of


def manifest(text):
    """Return the manifest with other lines in the place of its first, the version."""
    return {MANIFEST: YAML[MANIFEST].replace("version: 0.1.0\n", text, 1)}


def codes(findings):
    return [finding.code for finding in findings]


def reasons(report):
    return [finding.suppression.reason for finding in report.suppressed]


@pytest.mark.parametrize(
    "text",
    [
        f"{WRONG}  # xinfer: ignore[XI101] our own\n",
        f"# xinfer: ignore[XI101] our own\n{WRONG}\n",
        f"# xinfer: ignore[XI101] our own\n# The version of the group.\n{WRONG}\n",
        f"{WRONG}  # Of the group.  # xinfer: ignore[XI101] our own  # noqa\n",
        f"{WRONG}  #xinfer:ignore [xi101]: our own\n",
    ],
)
def test_a_comment_is_about_its_line_or_the_next(report, text):
    checked = report(manifest(text))
    assert checked.findings == ()
    assert codes(checked.suppressed) == ["XI101"]
    assert reasons(checked) == ["our own"]
    assert summary(checked) == "No findings. 1 suppressed."


@pytest.mark.parametrize(
    "text",
    [
        f"# xinfer: ignore[XI101] our own\n\n{WRONG}\n",
        f"{WRONG}\n# xinfer: ignore[XI101] our own\n",
        f"# xinfer: ignore[XI101] our own\n\n# The version.\n{WRONG}\n",
    ],
)
def test_no_other_line_is_suppressed(report, text):
    assert sorted(codes(report(manifest(text)).findings)) == ["XI101", "XI901"]


def test_another_code_is_not_suppressed(report):
    checked = report({MANIFEST: f"{WRONG}  # xinfer: ignore[XI102] our own\n"})
    assert codes(checked.findings) == ["XI101", "XI901"]


def test_several_codes_and_the_one_that_is_unused(report):
    checked = report({MANIFEST: f"{WRONG}  # xinfer: ignore[XI101, XI102] our own\n"})
    assert codes(checked.suppressed) == ["XI101"]
    (unused,) = checked.findings
    assert (unused.code, unused.message) == ("XI901", "there is no finding of XI102 here")
    start = unused.line.index("XI102") + 1
    assert (unused.span.column, unused.span.end_column) == (start, start + 5)


def test_text_that_looks_like_a_comment_is_none(report):
    looks = "# xinfer: ignore[XI101] our own"
    checked = report(
        {
            MANIFEST: f"{WRONG}\ndescription:\n  en_US: 'A {looks}'\n  zh_Hans: |\n    {looks}\n",
            "main.py": f'TEXT = """\n{looks}\n"""  # not of xinfer: ignored\n',
        }
    )
    assert codes(checked.findings) == ["XI101"]


def test_a_spec_is_suppressed_where_the_value_is_declared(report):
    version = '    version="0.1.0",\n'
    wrong = '    # xinfer: ignore[XI101] our own\n    version="v1",\n'
    checked = report({SPEC: DECLARED_MANIFEST.replace(version, wrong)})
    assert (checked.findings, codes(checked.suppressed)) == ((), ["XI101"])


HELPER = """\
def acme(name, size):
    return Model(
        model=name,
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=size),
    )


models = (
    acme("acme-1", 0),
    acme("acme-2", 0),
    Model(
"""


def test_a_call_of_the_authors_own_function_can_be_suppressed(tmp_path):
    path, _, _ = lay(None, {SPEC: ""}, tmp_path)
    spec = re.sub(
        r"models = \(\n    Model\(.*?Model\(\n", HELPER, path.read_text(), flags=re.DOTALL
    )

    def check(text):
        path.write_text(text)
        return report_of(path)

    (finding,) = check(spec).findings  # of one line of the helper
    assert (finding.code, finding.line) == ("XI406", HELPER.splitlines()[4])
    comment = "  # xinfer: ignore[XI406] of our own server"
    (finding,) = check(spec.replace('acme("acme-1", 0),', f'acme("acme-1", 0),{comment}')).findings
    (caller,) = finding.span.callers
    assert "acme-2" in spec.splitlines()[caller.line - 1]
    both = check(re.sub(r'acme\("acme-\d", 0\),', rf"\g<0>{comment}", spec))
    assert (both.findings, reasons(both)) == ((), ["of our own server"])
    helper = check(spec.replace("context_size=size),", f"context_size=size),{comment}"))
    assert (helper.findings, reasons(helper)) == ((), ["of our own server"])


@pytest.mark.parametrize(
    ("pattern", "is_suppressed"),
    [
        ("models/llm/*.yaml", True),
        ("models/*", True),
        ("provider_spec.py", True),
        ("models/llm/acme-2.yaml", False),
        ("models/moderation/*.yaml", False),
    ],
)
def test_an_entry_is_about_the_files_that_a_build_makes(report, pattern, is_suppressed):
    models = """\
models = (
    Model(
        model="acme-1",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=0),
    ),
    Model(model="guard", model_type=ModelType.MODERATION, model_properties=ModelProperties()),
)
"""
    ignore = f'ignore = (Ignore("{pattern}", "XI406", reason="local"),)\n'
    checked = report({SPEC: models + ignore})
    assert codes(checked.findings) == ([] if is_suppressed else ["XI406", "XI901"])
    assert reasons(checked) == (["local"] if is_suppressed else [])


@pytest.mark.parametrize("pattern", ["README.md", "plugin/README.md", "./plugin/*.md", "*"])
def test_an_entry_is_about_files_as_the_author_has_them(report, pattern):
    ignore = f'ignore = (Ignore("{pattern}", "XI512", reason="private"),)\n'
    checked = report({SPEC: ignore, "plugin/README.md": "# Acme\n"})
    assert (checked.findings, reasons(checked)) == ((), ["private"])


def test_python_and_tables_have_comments_of_their_own(report):
    checked = report(
        {
            PYTHON: "import reqests  # xinfer: ignore[XI605] of the image\n",
            PYPROJECT: "[project]\nname = 'a'\nversion = '1'\n"
            "# xinfer: ignore[XI119] of the image\n"
            'dependencies = ["requests"] # "\n[dependency-groups]\ndev = []\n',
        }
    )
    assert (codes(checked.findings), sorted(codes(checked.suppressed))) == ([], ["XI119", "XI605"])


def test_a_list_of_requirements_has_comments(report):
    text = "# xinfer: ignore[XI119] of the image\nrequests\n"
    checked = report({PYPROJECT: None, "requirements.txt": text})
    assert (checked.findings, reasons(checked)) == ((), ["of the image"])


def test_what_holds_no_comments_is_suppressed_at_the_top_of_the_manifest(report):
    text = "# xinfer: ignore[XI512, XI509] not published\nversion: 0.1.0\n"
    checked = report({**manifest(text), "README.md": "# Acme\n"})
    assert codes(checked.suppressed) == ["XI512"]
    assert codes(checked.findings) == ["XI901"]
    without = report({**manifest(text), "README.md": None})
    assert codes(without.suppressed) == ["XI509"]


def test_a_file_with_comments_of_its_own_is_not(report):
    text = "# xinfer: ignore[XI406] not published\nversion: 0.1.0\n"
    checked = report({**manifest(text), MODEL: "model_properties:\n  context_size: 0\n"})
    assert codes(checked.findings) == ["XI901", "XI406"]


def test_every_form_has_the_same_verdict(tmp_path):
    files = {MANIFEST: f"{WRONG}  # xinfer: ignore[XI101] our own\n"}
    folder, _, _ = lay(None, files, tmp_path)
    package = tmp_path / "acme.difypkg"
    package.write_bytes(pack(plugin_files(folder).items()))
    for path in (folder, package):
        checked = report_of(path)
        assert (checked.findings, reasons(checked)) == ((), ["our own"])


def test_unused_is_reported_only_of_rules_that_ran(report):
    files = {MANIFEST: "version: 0.1.0  # xinfer: ignore[XI101, XI802] our own\n"}
    (unused,) = report(files).findings
    assert unused.message == "there is no finding of XI101 here"
    assert report(files, selection=Selection(ignore=("XI1",))).findings == ()
    (unused,) = report(files, selection=Selection(select=("XI1", "XI9"))).findings
    assert unused.message == "there is no finding of XI101 here"
    broken = {**files, "provider/acme.yaml": "provider: [\n"}
    assert "XI901" not in codes(report(broken).findings)


@pytest.mark.parametrize(
    ("select", "ignore", "applied", "left_out"),
    [
        ((), (), "XI644", ""),
        (("XI6",), (), "XI644", "XI101"),
        ((), ("XI6",), "XI101", "XI644"),
        (("XI644",), ("XI6",), "XI644", "XI645"),
        (("XI6",), ("XI644",), "XI645", "XI644"),
        (("XI6",), ("XI6",), "", "XI644"),
    ],
)
def test_the_longer_beginning_of_a_code_decides(select, ignore, applied, left_out):
    selection = Selection(select, ignore)
    assert not applied or applied in selection
    assert not left_out or left_out not in selection


def test_formats_leave_out_what_is_suppressed_unless_asked(report, capsys):
    checked = report({MANIFEST: f"{WRONG}  # xinfer: ignore[XI101] our own\n"})

    def output(form, **options):
        show(checked, form, **options)
        return capsys.readouterr().out

    assert output("text") == "No findings. 1 suppressed.\n"
    text = output("text", show_suppressed=True)
    assert "  refused (packing) XI101 " in text
    assert "    suppressed: our own\n" in text
    assert json.loads(output("json")) == []
    (data,) = json.loads(output("json", show_suppressed=True))
    assert (data["code"], data["suppressed"]) == ("XI101", "our own")
    assert output("github") == ""
    github = output("github", show_suppressed=True)
    assert github.startswith("::notice title=refused (packing) XI101,")
    assert github.endswith("; suppressed: our own\n")
    assert json.loads(output("sarif"))["runs"][0]["results"] == []
    (result,) = json.loads(output("sarif", show_suppressed=True))["runs"][0]["results"]
    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["justification"]) == ("inSource", "our own")
    region = suppression["location"]["physicalLocation"]["region"]
    assert region["startColumn"] == len(WRONG) + 3


def test_what_dify_refuses_can_be_suppressed_and_is_then_written(tmp_path):
    path, _, _ = lay(None, {SPEC: ""}, tmp_path)
    text = path.read_text()
    command = ["build", "--spec", str(path), "--out", str(tmp_path / "dist")]
    run = CliRunner().invoke

    def build(version, *options):
        path.write_text(text.replace('version="0.1.0",', version))
        return run(main, [*command, *options])

    refused = build('version="v1",')
    assert (refused.exit_code, (tmp_path / "dist").exists()) == (1, False)
    built = build('version="v1",  # xinfer: ignore[XI101] our Dify takes it')
    assert built.exit_code == 0, built.output
    assert built.output.startswith("No findings. 1 suppressed.\nWrote ")
    assert (tmp_path / "dist/acme-v1.difypkg").is_file()
    packed = run(main, ["pack", str(path), "--out", str(tmp_path / "acme.difypkg")])
    assert packed.exit_code == 0, packed.output
    assert build('version="v2",', "--ignore", "XI101").exit_code == 0
    assert build('version="v3",', "--select", "XI6,XI7").exit_code == 0
    assert build('version="v4",', "--select", "XI1").exit_code == 1


def test_a_code_that_no_rule_has_is_no_option(tmp_path):
    folder, _, _ = lay(None, {MANIFEST: ""}, tmp_path)
    for value, hint in (("XI1O1", "did you mean XI101?"), ("XI6,", "xinfer explain lists all.")):
        done = CliRunner().invoke(main, ["check", str(folder), "--select", value])
        assert done.exit_code == 2
        assert hint in done.output


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", 'a = """\n# b\n"""  # c\n# d\n', [(3, 6, "# c", False), (4, 1, "# d", True)]),
        ("a.py", "a = (\n    # b\n", [(2, 5, "# b", True)]),
        ("a.py", "é = '#'  # ü\r\n", [(1, 10, "# ü", False)]),
        ("a.yaml", "a: '# b'  # c\n", [(1, 11, "# c", False)]),
        ("a.yml", "a: >\n  # b\n# c\n", [(3, 1, "# c", True)]),
        (
            "a.toml",
            'a = "#" # b\nc = """\n# d""" # e\n',
            [(1, 9, "# b", False), (3, 8, "# e", False)],
        ),
        ("a.toml", "a = '''\n#'''\nb = '#'\n\t# c\n", [(4, 2, "# c", True)]),
        ("requirements.txt", "a#b # c\n# d\n", [(1, 5, "# c", False), (2, 1, "# d", True)]),
    ],
)
def test_comments_by_kind_of_file(path, text, expected):
    comments = comments_of(path, text.encode())
    assert [(c.line, c.column, c.text, c.alone) for c in comments] == expected


@pytest.mark.parametrize(
    ("path", "content"),
    [("README.md", b"# A\n"), ("a.yaml", b"a: [\n"), ("a.json", b"{}"), ("a.py", b"#" * 2**21)],
)
def test_files_without_comments(path, content):
    assert comments_of(path, content) is None


def test_hostile_comments_are_read_in_linear_time():
    for path, text in (
        ("a.toml", '"""' + '"\n' * 100_000),
        ("requirements.txt", " #" * 300_000),
        ("a.yaml", "# a\n" * 200_000 + "a: 1\n"),
    ):
        assert comments_of(path, text.encode()) is not None
