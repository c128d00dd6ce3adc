"""Published plugins come back: those of the folder that ``XINFER_CORPUS`` names."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from importer.small import built_data, data_of, imported

from xinfer.build.preparation import prepare
from xinfer.importer import write_spec
from xinfer.rules import check

ROOT = Path(__file__).parents[2]
CORPUS = Path(os.environ.get("XINFER_CORPUS", ""))
PUBLISHED = sorted(p for p in CORPUS.iterdir() if p.is_dir()) if str(CORPUS) != "." else []
pytestmark = pytest.mark.only_if(
    bool(PUBLISHED), "set XINFER_CORPUS to a folder of published plugins"
)


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda path: path.name)
def test_every_published_plugin_comes_back(folder, tmp_path):
    spec = write_spec(imported(folder), tmp_path / "out")
    assert built_data(spec) == data_of(folder)
    check(prepare(spec).plugin)
    ours = [
        "provider_spec.py",
        *(["provider_models"] if (spec.parent / "provider_models").exists() else []),
    ]
    for command in (["format", "--check"], ["check", "--select=E4,E7,E9,F,I,UP"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", "--line-length=100", *ours],
            cwd=spec.parent,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout
    suppressed = write_spec(imported(folder), tmp_path / "suppressed", baseline=True)
    assert check(prepare(suppressed).plugin) == ()
    assert built_data(suppressed) == data_of(folder)
    shutil.rmtree(tmp_path / "out")


def test_imported_specs_pass_a_type_checker(tmp_path):
    for folder in PUBLISHED:
        write_spec(imported(folder), tmp_path / folder.name)
    specs = [str(path) for path in tmp_path.glob("*/provider_spec.py")]
    config = tmp_path / "mypy.ini"
    config.write_text("[mypy]\nstrict = True\nfollow_imports = silent\n")
    for spec in specs:
        done = subprocess.run(
            [sys.executable, "-m", "mypy", f"--config-file={config}", "provider_spec.py"],
            cwd=Path(spec).parent,
            env={**os.environ, "MYPYPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{spec}\n{done.stdout}"
