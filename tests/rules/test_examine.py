"""Folders and packages of strangers: each mistake has its code, and no file does any harm."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.read import read_plugin
from xinfer.rules import Severity, check


def examine(path):
    return check(read_plugin(path))


def codes(path):
    return [finding.code for finding in examine(path)]


def packed(folder, package, *, names=lambda name: name, more=()):
    with zipfile.ZipFile(package, "w") as out:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                out.write(path, names(path.relative_to(folder).as_posix()))
        for name, content in more:
            out.writestr(name, content)
    return package


def rewrite(file, old, new):
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def test_a_folder_and_its_package_that_are_right_have_no_findings(plugin_folder, tmp_path):
    assert codes(plugin_folder) == []
    assert codes(packed(plugin_folder, tmp_path / "right.difypkg")) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("names", "more", "code"),
    [
        (lambda name: name, [("models/", b"")], "XI701"),
        (lambda name: f"tariff/{name}", [], "XI702"),
        (lambda name: name, [("./extra.txt", b"")], "XI703"),
        (lambda name: name.replace("_assets/", "assets/"), [], "XI704"),
    ],
)
def test_packages_that_the_daemon_cannot_unpack(plugin_folder, tmp_path, names, more, code):
    findings = check(
        read_plugin(packed(plugin_folder, tmp_path / "x.difypkg", names=names, more=more))
    )
    assert code in [finding.code for finding in findings if finding.severity is Severity.REFUSED]


def test_a_list_of_positions_that_is_none(plugin_folder):
    (plugin_folder / "models/llm/_position.yaml").write_text("tariff-swift: 1\n")
    assert codes(plugin_folder) == ["XI705"]


def test_a_name_in_the_list_that_no_model_has(plugin_folder):
    (plugin_folder / "models/llm/_position.yaml").write_text("- tariff-swift\n- nobody\n")
    (finding,) = examine(plugin_folder)
    assert (finding.code, finding.path) == ("XI014", "nobody")
    assert (finding.span.line, finding.span.column) == (2, 3)


@pytest.mark.parametrize(
    ("path", "right", "wrong", "words", "fix"),
    [
        (
            "models/llm/tariff-swift.yaml",
            "model_type: llm",
            "model_type: lmm",
            "expected one of llm, ",
            "Did you mean llm?",
        ),
        (
            "models/llm/tariff-swift.yaml",
            "model: tariff-swift\n",
            "",
            "is required but missing",
            "Add it.",
        ),
        (
            "models/llm/tariff-swift.yaml",
            "currency: USD",
            "currency: 5",
            "expected a string, got 5",
            "Put it in quotes.",
        ),
        (
            "models/llm/tariff-swift.yaml",
            "context_size: 32768",
            "context_size: 32k",
            "expected a whole number, got '32k'",
            "Write what is expected there.",
        ),
        (
            "provider/tariff.yaml",
            "required: true",
            "required: 'yes'",
            "expected true or false, got 'yes'",
            "Write what is expected there.",
        ),
        (
            "provider/tariff.yaml",
            "type: secret-input",
            "type: secret_input",
            "expected one of text-input, ",
            "Did you mean secret-input?",
        ),
        ("provider/tariff.yaml", "label:", "label: {}\nlabel:", "a second time", "Remove one."),
        (
            "provider/tariff.yaml",
            "provider: ",
            "provider:",
            "mapping values are not",
            "Correct it.",
        ),
    ],
)
def test_one_mistake_in_a_value_is_one_finding(plugin_folder, path, right, wrong, words, fix):
    text = (plugin_folder / path).read_text("utf-8")
    assert right in text
    (plugin_folder / path).write_text(text.replace(right, wrong, 1), "utf-8")
    (finding,) = examine(plugin_folder)
    assert words in finding.message
    assert finding.fix == fix
    assert finding.span.file.endswith(path)


def test_a_folder_of_models_that_is_ignored(plugin_folder):
    (plugin_folder / ".difyignore").write_text("requirements.txt\nmodels/llm/\n!README.md\n")
    (plugin_folder / "requirements.txt").touch()
    messages = [finding.message for finding in examine(plugin_folder) if finding.code == "XI706"]
    assert messages == ["models/llm/ is left out by line 2 of .difyignore (models/llm/)"]


def test_a_repository_that_would_be_packed(plugin_folder):
    (plugin_folder / ".git").mkdir()
    (plugin_folder / ".git/config").write_text("secret")
    (plugin_folder / ".difyignore").write_text("")
    assert codes(plugin_folder) == ["XI707"]
    (plugin_folder / ".difyignore").write_text(".git/\n")
    assert codes(plugin_folder) == []


def test_a_signature_that_would_be_packed(plugin_folder):
    (plugin_folder / ".verification.dify.json").write_text("{}")
    assert codes(plugin_folder) == ["XI709"]


def test_what_is_missing_is_said_with_the_file_that_names_it(plugin_folder):
    (plugin_folder / "provider/tariff.yaml").unlink()
    (finding,) = examine(plugin_folder)
    line = (plugin_folder / "manifest.yaml").read_text().splitlines()[finding.span.line - 1]
    assert (finding.code, line.strip()) == ("XI011", "- provider/tariff.yaml")
    assert finding.message == "there is no provider/tariff.yaml"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            b"a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n"
            + b"".join(
                b"c%d: &c%d [%s]\n"
                % (n, n, b", ".join([b"*b" if n == 0 else b"*c%d" % (n - 1)] * 9))
                for n in range(8)
            ),
            "holds more than",
        ),
        (b"a: " + b"[" * 100_000, "nests too deep"),
        (b"a: " + b"x" * 2_000_000, "is larger than"),
        ("a: ä".encode("latin-1"), "is not UTF-8"),
        (b"a: \x00", ""),
        (b"", "is empty"),
        (b"- a\n", "expected a mapping"),
        (b"author: a\nauthor: b\n", "a second time"),
        (b"a: !!python/object/apply:os.system [touch owned]\n", ""),
        (b"a: &a {<<: *a}\n", "is merged into itself"),
        (b"a: &a\n  b: &b {<<: *a}\n  <<: *b\n", "is merged into itself"),
        (b"a: &a [*a]\n", "nests too deep"),
    ],
    ids=[
        *["bomb", "deep", "huge", "latin-1", "nul", "empty", "list", "twice", "object"],
        *["merged", "merged by turns", "circle"],
    ],
)
@pytest.mark.parametrize(
    "file", ["manifest.yaml", "provider/tariff.yaml", "models/llm/tariff-swift.yaml"]
)
def test_hostile_yaml_is_answered(plugin_folder, file, content, words):
    (plugin_folder / file).write_bytes(content)
    findings = [
        finding for finding in examine(plugin_folder) if finding.severity is Severity.REFUSED
    ]
    assert any(words in finding.message for finding in findings)
    assert not os.path.lexists("owned")


def test_what_cannot_be_packed_is_refused_unless_it_is_left_out(plugin_folder, tmp_path):
    (tmp_path / "secret.yaml").write_text("model: x\n")
    (plugin_folder / "models/llm/x.yaml").symlink_to(tmp_path / "secret.yaml")
    (plugin_folder / "models/loop").symlink_to(plugin_folder / "models/loop")
    (plugin_folder / "models/gone").symlink_to("nowhere")
    (plugin_folder / "models/all").symlink_to(plugin_folder / "models/llm")
    os.mkfifo(plugin_folder / "models/llm/pipe.yaml")
    findings = examine(plugin_folder)
    assert {(finding.code, finding.severity, finding.message) for finding in findings} == {
        ("XI710", Severity.REFUSED, "models/all is a link to a folder"),
        ("XI710", Severity.REFUSED, "models/gone is a link that leads nowhere"),
        ("XI710", Severity.REFUSED, "models/llm/pipe.yaml is a named pipe"),
        ("XI710", Severity.REFUSED, "models/llm/x.yaml is a link out of the plugin's folder"),
        ("XI710", Severity.REFUSED, "models/loop is a link in a circle"),
    }
    with (plugin_folder / ".difyignore").open("a") as ignored:
        ignored.write("all\ngone\npipe.yaml\nx.yaml\nloop\n")
    assert {finding.code for finding in examine(plugin_folder)} == {"XI706"}


def test_an_ignore_file_may_be_a_link_out_of_the_folder(plugin_folder, tmp_path):
    (tmp_path / "common").write_text("notes.txt\n")
    (plugin_folder / ".difyignore").unlink()
    (plugin_folder / ".difyignore").symlink_to(tmp_path / "common")
    (plugin_folder / "notes.txt").write_text("mine")
    assert codes(plugin_folder) == []


@pytest.mark.parametrize("name", ["../out.yaml", "/etc/out.yaml", "models/../../out.yaml"])
def test_names_that_lead_out_of_a_package_are_refused(plugin_folder, tmp_path, name):
    package = packed(plugin_folder, tmp_path / "x.difypkg", more=[(name, b"x")])
    with pytest.raises(UnreadablePlugin, match="leads out of the package"):
        examine(package)


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked(plugin_folder, tmp_path):
    package = tmp_path / "bomb.difypkg"
    packed(plugin_folder, package)
    with zipfile.ZipFile(package, "a", zipfile.ZIP_DEFLATED) as out:
        for number in range(5):
            out.writestr(f"_assets/{number}.bin", bytes(49 * 1024 * 1024))
    assert package.stat().st_size < 1_000_000
    with pytest.raises(UnreadablePlugin, match=r"unpacks to .* more than a plugin can hold"):
        examine(package)


def test_a_zip_that_lies_about_its_sizes_is_not_believed(plugin_folder, tmp_path):
    package = tmp_path / "lies.difypkg"
    (plugin_folder / "README.md").write_bytes(b"#" + bytes(60 * 1024 * 1024))
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(plugin_folder.rglob("*")):
            if path.is_file():
                out.write(path, path.relative_to(plugin_folder).as_posix())
    true = (60 * 1024 * 1024 + 1).to_bytes(4, "little")
    package.write_bytes(package.read_bytes().replace(true, (1000).to_bytes(4, "little")))
    with pytest.raises(UnreadablePlugin):
        examine(package)


@pytest.mark.parametrize("cut", [10, 500, 0.5, 0.99])
def test_a_package_cut_short_is_refused(plugin_folder, tmp_path, cut):
    package = packed(plugin_folder, tmp_path / "cut.difypkg")
    content = package.read_bytes()
    package.write_bytes(content[: cut if cut > 1 else int(len(content) * cut)])
    with pytest.raises(UnreadablePlugin, match=r"is not a \.difypkg"):
        examine(package)


def test_a_damaged_entry_is_named(plugin_folder, tmp_path):
    package = tmp_path / "x.difypkg"
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as written:
        for path in sorted(plugin_folder.rglob("*.*")):
            written.write(path, path.relative_to(plugin_folder).as_posix())
        begins = written.getinfo("manifest.yaml").header_offset + 30 + len("manifest.yaml")
    raw = bytearray(package.read_bytes())
    raw[begins : begins + 8] = b"\xff" * 8
    package.write_bytes(raw)
    with pytest.raises(UnreadablePlugin, match=r"manifest\.yaml in .* cannot be unpacked"):
        examine(package)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("project = 1\n", "project is not a table"),
        ("[[project]]\n", "project is not a table"),
        ('[project]\ndependencies = "abc"\n', "dependencies is not a list of strings"),
        ("[project]\ndependencies = [1]\n", "dependencies is not a list of strings"),
        ("project = [", "not TOML: "),
    ],
)
def test_a_pyproject_of_another_shape_is_said_to_be_one(plugin_folder, text, words):
    (plugin_folder / "pyproject.toml").write_text(text)
    messages = [finding.message for finding in examine(plugin_folder) if finding.code == "XI525"]
    assert len(messages) == 1
    assert words in messages[0]


def test_an_encrypted_entry_is_named(plugin_folder, tmp_path):
    package = packed(plugin_folder, tmp_path / "x.difypkg")
    raw = bytearray(package.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = 0
        while (at := raw.find(magic, at)) >= 0:
            raw[at + offset] |= 1
            at += 4
    package.write_bytes(raw)
    with pytest.raises(UnreadablePlugin, match="is encrypted"):
        examine(package)


def test_what_is_no_plugin_is_said_in_one_line(tmp_path, plugin_folder):
    (tmp_path / "empty").mkdir()
    assert codes(tmp_path / "empty") == ["XI702"]
    with pytest.raises(UnreadablePlugin, match=r"There is no .*nothing"):
        examine(tmp_path / "nothing")
    rewrite(plugin_folder / "manifest.yaml", "models:", "tools:")
    with pytest.raises(UnreadablePlugin, match="is a plugin of tools"):
        examine(plugin_folder)
    with pytest.raises(UnreadablePlugin, match="cannot be read"):
        _ = read_plugin(tmp_path / "empty").project


def test_the_command_line_says_one_thing_and_exits_with_2(tmp_path):
    (tmp_path / "x.difypkg").write_bytes(b"no zip")
    command = [sys.executable, "-m", "xinfer", "check", "x.difypkg"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert (
        done.stderr
        == "Error: x.difypkg is not a .difypkg, which is a zip: it is another kind of file.\n"
    )
    assert done.stdout == ""
    shutil.rmtree(tmp_path)
