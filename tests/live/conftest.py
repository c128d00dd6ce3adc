"""The plugin as it is emitted, and the servers it is tried on; both last for the whole run."""

import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from live.install import install
from live.place import SWITCH, alone, home, log
from live.server import LAUNCHES, running

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    if os.environ.get(SWITCH) == "1":
        return
    skip = pytest.mark.skip(reason=f"a real Xinference is asked for by {SWITCH}=1 only")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    from xinfer.build import prepare, write
    from xinfer.devtools.daemon import PluginProcess

    built = write(prepare(ROOT / "provider_spec.py"), tmp_path_factory.mktemp("plugin"))
    with PluginProcess.start(built.folder) as started:
        yield started


@pytest.fixture(scope="session")
def machine():
    """Xinference installed and its models made, in the folder that is ours while we run."""
    import subprocess

    from live.place import last_words, python

    with alone():
        install()
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
        with log("making").open("w") as said:
            made = subprocess.run(
                [python(), "-m", "live.making", home() / "models"],
                env={**environment, "PYTHONPATH": str(ROOT / "tests")},
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=1800,
                check=False,
            )
        if made.returncode:
            raise RuntimeError(f"The models cannot be made.\n{last_words('making')}")
        yield


@pytest.fixture(scope="session")
def server(machine):
    with ExitStack() as stack:
        yield stack.enter_context(running("open", LAUNCHES))


@pytest.fixture(scope="session")
def server_with_keys(machine):
    with ExitStack() as stack:
        yield stack.enter_context(running("keys", ["chat", "embed"], with_keys=True))
