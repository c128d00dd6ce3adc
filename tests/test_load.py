"""Loading a spec: what it may do, and errors in the lines of its author."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ROOT

from xinfer.build.load import SpecError, load_spec
from xinfer.build.preparation import prepare


def test_modules_beside_the_spec_come_along_and_do_not_stay(home):
    (home / "regions.py").write_text("DEFAULT = 'eu'\n")
    spec = home / "provider_spec.py"
    spec.write_text(spec.read_text("utf-8") + "\nimport regions\n", "utf-8")
    assert prepare(spec).tree["regions.py"] == b"DEFAULT = 'eu'\n"
    assert "regions" not in sys.modules
    (home / "regions.py").write_text("DEFAULT = 'us'\n# and longer\n")
    assert b"us" in prepare(spec).tree["regions.py"]


def test_a_folder_of_modules_without_an_init_does_not_stay_either(home):
    (home / "lists").mkdir()
    (home / "lists/regions.py").write_text("DEFAULT = 'eu'\n")
    spec = home / "provider_spec.py"
    spec.write_text(spec.read_text("utf-8") + "\nfrom lists import regions\n", "utf-8")
    assert prepare(spec).tree["lists/regions.py"] == b"DEFAULT = 'eu'\n"
    assert not [name for name in sys.modules if name.split(".")[0] == "lists"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import xinfer.spec\nproject = xinfer.spec.Nothing()\n", 'provider_spec.py", line 2'),
        (
            "from xinfer.spec import ModelProperties\nModelProperties(contextsize=1)\n",
            "argument 'contextsize'. Did you mean 'context_size'?",
        ),
        ("from xinfer.spec import I18n\nI18n('a', xy='b')\n", "'xy': it takes en_US, zh_Hans"),
        ("def f(:\n", "SyntaxError"),
        ("x = 1\n", "must declare `project = Project(...)`"),
        ("project = 3\n", "it holds a value of type int"),
        ("import not_there\n", "No module named 'not_there'"),
        ("raise SystemExit(3)\n", "ends the program instead of declaring the plugin"),
        ("from xinfer.spec import Manifset\n", "Did you mean: 'Manifest'?"),
        ("import xinfer.spec\nxinfer.spec.Manifset\n", "Did you mean: 'Manifest'?"),
        ("rules = ()\nproject = rulse\n", "Did you mean: 'rules'?"),
        ("import jsn\n", "No module named 'jsn'"),
        ("input()\n", "EOFError"),
        ("raise KeyError('a') from ValueError('b')\n", "ValueError: b"),
        ("raise BaseException('c')\n", "BaseException: c"),
        ("class E(Exception):\n    def __str__(self): raise self\nraise E\n", "str() failed"),
        ("def f(): f()\nf()\n", "Previous line repeated"),
        ("raise ValueError('\\ud800')\n", "ValueError: \\ud800"),
    ],
)
def test_a_spec_that_cannot_be_used_says_why_in_the_users_lines(tmp_path, text, words):
    spec = tmp_path / "provider_spec.py"
    spec.write_text(text)
    with pytest.raises(SpecError) as caught:
        load_spec(spec)
    assert words in str(caught.value)
    assert "importlib" not in str(caught.value)
    assert "xinfer/build" not in str(caught.value)


def test_a_circular_import_keeps_pythons_hint(tmp_path):
    (tmp_path / "models.py").write_text("from provider_spec import MODELS\n")
    spec = tmp_path / "provider_spec.py"
    spec.write_text("import models\nMODELS = ()\n")
    with pytest.raises(SpecError, match="most likely due to a circular import") as caught:
        load_spec(spec)
    assert 'models.py", line 1' in str(caught.value)
    assert "models" not in sys.modules


def test_what_a_spec_changes_in_the_process_is_put_back(home, capfd):
    spec = home / "provider_spec.py"
    spec.write_text(
        spec.read_text("utf-8")
        + "import os, subprocess, sys\n"
        + "print('printed')\nsubprocess.run(['echo', 'echoed'])\n"
        + "os.chdir('/')\nsys.path.append('/nowhere')\nsys.argv.append('x')\nsys.stdout = None\n",
        "utf-8",
    )
    before = Path.cwd(), sys.path[:], sys.argv[:], sys.stdout, sys.stdin, sys.meta_path[:]
    assert load_spec(spec).project.manifest.name == "xinference"
    assert before == (
        Path.cwd(), sys.path[:], sys.argv[:], sys.stdout, sys.stdin, sys.meta_path[:],
    )  # fmt: skip
    out, err = capfd.readouterr()
    assert out == ""
    assert "echoed" in err


def test_a_spec_that_starts_a_thread_is_refused_and_ends(home):
    spec = home / "provider_spec.py"
    spec.write_text(
        spec.read_text("utf-8")
        + "import threading, time\n"
        + "threading.Thread(target=time.sleep, args=(600,), name='clock').start()\n",
        "utf-8",
    )
    command = [sys.executable, "-m", "xinfer", "check", str(spec)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=home)
    assert ended.returncode == 2
    assert "starts the thread clock, which still runs" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_spec_that_never_ends_is_interrupted_by_its_line(tmp_path):
    spec = tmp_path / "provider_spec.py"
    spec.write_text("print('running', flush=True)\nwhile True:\n    pass\n")
    command = [sys.executable, "-m", "xinfer", "check", str(spec)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as running:
        assert running.stderr.readline() == "running\n"
        running.send_signal(signal.SIGINT)
        errors = running.stderr.read()
    assert running.returncode == 2
    assert "provider_spec.py was still running, at line " in errors
    assert "Traceback" not in errors


def test_an_error_inside_xinfer_shows_the_users_line_only(tmp_path):
    spec = tmp_path / "provider_spec.py"
    spec.write_text(
        "from xinfer.spec import Credentials, I18n, text_input\n"
        "class C(Credentials):\n    bad: list[int] = text_input(label=I18n('x'))\n"
    )
    with pytest.raises(SpecError) as caught:
        load_spec(spec)
    assert 'provider_spec.py", line 2' in str(caught.value)
    assert "C.bad" in str(caught.value)
    assert "credentials.py" not in str(caught.value)


def test_a_missing_spec_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"There is no .*elsewhere\.py"):
        load_spec(tmp_path / "elsewhere.py")


def test_a_spec_of_the_same_size_in_the_same_second_is_another_spec(tmp_path):
    spec = tmp_path / "provider_spec.py"
    text = (ROOT / "provider_spec.py").read_text()
    names = []
    for version in ("0.1.1", "0.1.2", "0.1.3"):
        spec.write_text(text.replace('version="0.1.0"', f'version="{version}"'))
        os.utime(spec, (1_800_000_000, 1_800_000_000))
        names.append(load_spec(spec).project.manifest.version)
    assert names == ["0.1.1", "0.1.2", "0.1.3"]
