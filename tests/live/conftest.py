"""The plugin as it is emitted, and the servers it is tried on: one after the other."""

import os
from pathlib import Path

import pytest

from live.added import REPRESENTATIVES
from live.install import install
from live.models import make_models
from live.place import alone, last_words
from live.server import LAUNCHES, running

ROOT = Path(__file__).parents[2]
LIVE = [
    pytest.mark.only_if(
        os.environ.get("XINFER_LIVE") == "1", "set XINFER_LIVE=1 to try a real Xinference"
    ),
    pytest.mark.timeout(1800),  # the first test waits for the server and all of its models
]
_LOGS = {"server": "open", "server_with_keys": "keys"}
"""What a server's log is called, by the fixture that runs it."""
WITH_KEYS = ("chat", "embed", "rerank", "whisper", "kokoro")
"""One model of each type."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        for fixture in _LOGS.keys() & item.fixturenames:
            report.sections.append(("Xinference", last_words(_LOGS[fixture], 40)))
    return report


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    from xinfer.build.preparation import prepare, write
    from xinfer.daemon.process import PluginProcess

    built = write(prepare(ROOT / "provider_spec.py"), tmp_path_factory.mktemp("plugin"))
    with PluginProcess.start(built.folder) as started:
        yield started


@pytest.fixture(scope="session")
def xinference():
    """Xinference installed and its models made, in the folder that is ours while we run."""
    with alone():
        install()
        make_models()
        yield


@pytest.fixture(scope="module")
def server(xinference):
    uids = LAUNCHES if "XINFER_ALL" in os.environ else REPRESENTATIVES
    with running("open", uids) as started:
        yield started


@pytest.fixture(scope="module")
def server_with_keys(xinference):
    with running("keys", WITH_KEYS, with_keys=True) as started:
        yield started
