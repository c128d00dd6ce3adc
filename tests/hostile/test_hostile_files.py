"""Files of a plugin that are made to take time or memory: answered within 512 MB, or refused."""

import random

import pytest
from hostile.test_hostile_packages import xinfer
from importer.small import SMALL, imported, write_files
from representatives import every

from xinfer.importer.imported import ImportFailed
from xinfer.importer.numbers import numbers_in
from xinfer.importer.write import write_spec
from xinfer.plugin.toml import MAX_BYTES, NotTOML, read_toml

MODEL = "models/llm/first.yaml"
HOSTILE = {
    "dots": ("pyproject.toml", lambda: f"a{'.a' * 20_000} = 1\n", "a key of more than 64 parts"),
    "arrays": ("pyproject.toml", lambda: f"a = {'[' * 1500}{']' * 1500}", "it nests too deep"),
    "tables": ("pyproject.toml", lambda: f"a = {'{a=' * 1500}1{'}' * 1500}", "it nests too deep"),
    "digits": ("pyproject.toml", lambda: f"a = {'9' * 5000}", "more digits than Python reads"),
    "large": (
        "pyproject.toml",
        lambda: "a = 1\n" * 50_000,
        "pyproject.toml is larger than 256 KiB",
    ),
    "lines": (
        "requirements.txt",
        lambda: "a\n" * 300_000,
        "requirements.txt is larger than 512 KiB",
    ),
    "keys": (
        MODEL,
        lambda: "".join(f"k{n:x}: 1\n" for n in range(102_000)),
        "more than 100,000 values",
    ),
    "code": ("models/llm/llm.py", lambda: "a.b.c()\n" * 2_000_000, "250,000 words and signs"),
    "bytes": ("_assets/data", lambda: random.Random(1).randbytes(49 * 2**20), "findings"),
}
COMMANDS = (
    ["check", "acme"],
    ["import", "acme", "-o", "out"],
    ["pack", "acme"],
    ["diff", *["acme"] * 2],
)


@pytest.mark.parametrize("case", every(HOSTILE, "lines", "bytes"))
def test_a_file_is_answered_or_refused_within_the_memory(tmp_path, case):
    path, content, words = HOSTILE[case]
    text = content()
    write_files(tmp_path / "acme", SMALL)
    where = tmp_path / "acme" / path
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(text if isinstance(text, bytes) else text.encode())
    printed = ""
    for command in COMMANDS:
        done = xinfer(*command, cwd=tmp_path)
        printed += done.stdout + done.stderr
        assert done.returncode in (0, 1, 2), printed
    assert words in printed
    assert "Traceback" not in printed
    assert "Error" not in printed.replace("Error: ", "")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a" + ".a" * 63 + " = 1", ""),
        ("a" + " . 'b'" * 64 + " = 1", "more than 64 parts"),
        ("[" + '"a.b".' * 64 + "c]", "more than 64 parts"),
        ('\n\nx = 1\na"', "Expected '='"),
        ("# " + "x" * (MAX_BYTES - 2), ""),
        ("# " + "x" * (MAX_BYTES - 1), "larger than 256 KiB"),
        ('a = "' + "a." * 100_000, "Unterminated|more than 64 parts"),
    ],
)
def test_toml_is_read_up_to_its_limits(text, why):
    if not why:
        read_toml(text)
        return
    with pytest.raises(NotTOML, match=why):
        read_toml(text)


def test_a_fault_of_toml_has_its_place():
    with pytest.raises(NotTOML) as raised:
        read_toml("[a]\n\nb = \n")
    assert (str(raised.value), raised.value.line, raised.value.column) == ("Invalid value", 3, 5)


def test_more_comments_than_ruff_formats_in_time_are_refused(tmp_path):
    plugin = write_files(tmp_path / "acme", SMALL)
    with (plugin / MODEL).open("a") as model:
        model.write("# a comment\n" * 6_000)
    with pytest.raises(ImportFailed, match="more than 5,000 comments about no value"):
        write_spec(imported(plugin), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("less", [0, 1])
def test_more_models_than_a_project_can_hold_are_refused(tmp_path, monkeypatch, less):
    plugin = write_files(tmp_path / "acme", SMALL)
    count = len(imported(plugin).models)
    monkeypatch.setattr("xinfer.importer.imported._MOST_MODELS", count - less)
    if not less:
        assert len(imported(plugin).models) == count
        return
    with pytest.raises(ImportFailed, match=f"has {count} models, and import writes {count - 1} at"):
        imported(plugin)


def test_code_is_searched_for_numbers_up_to_a_size():
    use = b"int(credentials['a'])\n"
    assert numbers_in([use]) == {"a": int}
    assert numbers_in([use * 30_000, use.replace(b"'a'", b"'b'")]) == {"b": int}
