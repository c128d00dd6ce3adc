"""The documentation, run: every block of Python, every file it shows, every command's output."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from registry import UV, needs_registry
from sybil import Document, Region
from sybil.parsers.markdown.lexers import RawFencedCodeBlockLexer

from xinfer.cli.site import commands_page

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    path
    for path in (ROOT / "docs").rglob("*.md")
    if path.name not in ("benchmarks.md", "commands.md")
)
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *PAGES]
SHOWN = {"text", "yaml", "sh", "toml", "json", "diff", "ini"}
"""Languages whose blocks are only read, unless a title makes a file of them."""
LEXER = RawFencedCodeBlockLexer(
    re.compile(r'(?P<language>\w+)(?: title="(?P<title>[^"]*)")?[ \t]*$\n', re.MULTILINE)
)
VARYING = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"\d+\.\d\d s\b"), "N s"),
    (re.compile(r"\b[\d,]+ tokens/s"), "N tokens/s"),
    (re.compile(r"\d+ \+ \d+ tokens"), "N + N tokens"),
    (re.compile(r"passed in [\d.]+s( \([\d:]+\))?"), "passed in N s"),
)
"""What differs from run to run."""


OF_UV = re.compile(
    r"(Installed|Resolved|Prepared|Audited|Downloading|Using CPython|Creating virtual) "
)
"""How a line begins in which uv tells what it installs."""


class Page:
    """A document's own folder, where its blocks run one after the other."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.names: dict[str, object] = {"__name__": "page"}

    def parse(self, document):
        for region in LEXER(document):
            block = Region(region.start, region.end, region.lexemes, self.run)
            yield block

    def run(self, example):
        block = example.region.parsed
        source, language, title = block["source"], block["language"], block["title"]
        if title:
            file = self.folder / title
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, "utf-8")
            self.names = {"__name__": "page"}
        elif language == "console":
            self.console(source)
        elif language == "pycon":
            self.session(source)
        elif language == "python":
            exec(compile(source, str(example.path), "exec"), self.names)
        else:
            assert language in SHOWN, f"a block of {language} is neither run nor known"

    def console(self, text):
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            if match := re.fullmatch(r"cd (\S+)", command):
                self.folder /= match[1]
                continue
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
            )
            assert matches(expected, done.stdout), f"$ {command}\n{done.stdout}"
            if expected.strip() in ("", "…"):
                assert done.returncode == 0, f"$ {command}\n{done.stdout}"

    def session(self, text):
        parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(verbose=False)
        runner.optionflags = doctest.ELLIPSIS
        test = parser.get_doctest(text, self.names, "page", None, 0)
        told: list[str] = []
        runner.run(test, out=told.append, clear_globs=False)
        assert not runner.failures, "".join(told)
        self.names.update(test.globs)


def matches(expected, printed):
    """Compare output; a line of ``…`` stands for any lines."""
    wanted, output = (settled(text).strip() for text in (expected, printed))
    pattern = re.escape(wanted).replace(re.escape("…") + "\\\n", "(?:.*\\\n)*").replace("…", ".*")
    return re.fullmatch(pattern, output, re.DOTALL) is not None


def settled(text):
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.splitlines() if not OF_UV.match(line))


@pytest.fixture(scope="session")
def commands(tmp_path_factory):
    """An environment in which the documented commands run on this checkout."""
    folder = tmp_path_factory.mktemp("bin")
    here = Path(sys.executable).parent
    scripts = {
        "uv": f'#!/bin/sh\n[ "$1" = run ] && shift && exec "$@"\nexec "{UV}" "$@"\n',
        "uvx": '#!/bin/sh\n[ "$1" = --python ] && shift 2\nexec "$@"\n',
    }
    for name, text in scripts.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("XINFER_")}
    path = f"{folder}:{here}:{environment['PATH']}"
    return {
        **environment,
        "PATH": path,
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


FROM_REGISTRY = ROOT / "docs/how-to/offline.md"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.relative_to(ROOT).as_posix(),
            marks=needs_registry if path == FROM_REGISTRY else (),
        )
        for path in DOCUMENTS
    ],
)
def test_what_a_page_shows_is_what_happens(path, commands, tmp_path, monkeypatch):
    for name in ("provider_spec.py", "build.py", "plugin"):
        place = ROOT / name
        copy = shutil.copytree if place.is_dir() else shutil.copy
        copy(place, tmp_path / name)
    (tmp_path / "dify-plugins").mkdir()  # a clone of the marketplace's repository
    monkeypatch.chdir(tmp_path)
    page = Page(tmp_path, commands)
    for example in Document.parse(str(path), page.parse).examples():
        page.folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.chdir(page.folder)
        example.evaluate()


def test_the_output_of_commands_is_compared():
    assert matches("a\n…\nd\n", "a\nb\nc\nd\n")
    assert matches("first token after 0.01 s, 20 tokens/s", "first token after 1.41 s, 3 tokens/s")
    assert not matches("a\nb\n", "a\nc\n")
    assert not matches("", "Error: no\n")


def test_the_page_of_the_commands_has_each_with_an_example():
    page = commands_page()
    for section in page.split("\n## ")[1:]:
        name = section.partition("\n")[0]
        assert f"Usage: {name} [OPTIONS]" in section
        assert "Examples:\n" in section, f"{name} has no example"
        assert f"    {name}" in section.partition("Examples:\n")[2]


@pytest.mark.parametrize("name", ["README.md", "readme/README_zh_Hans.md"])
def test_the_manual_has_the_tables_of_the_spec(name, commands):
    checked = subprocess.run(
        ["xinfer", "docs", "--update", f"plugin/{name}", "--check"],
        cwd=ROOT,
        env=commands,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    assert "<!-- xinfer docs: fields -->" in (ROOT / "plugin" / name).read_text("utf-8")


def test_both_manuals_have_the_same_sections():
    english, chinese = (
        [
            line.partition(" ")[0]
            for line in (ROOT / "plugin" / name).read_text("utf-8").splitlines()
            if re.match("#+ ", line)
        ]
        for name in ("README.md", "readme/README_zh_Hans.md")
    )
    assert english == chinese


def test_workflows_are_safe_and_the_site_builds(tmp_path):
    """.ci/run asks zizmor and mkdocs; here, that nothing is loaded from elsewhere."""
    settings = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert "font: false" in settings
    assert "extra_javascript" not in settings
    for workflow in (ROOT / ".github/workflows").iterdir():
        used = re.findall(r"uses: (\S+)", workflow.read_text("utf-8"))
        assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action) for action in used)
