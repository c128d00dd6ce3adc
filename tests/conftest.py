"""Projects and plugins for the tests: to edit, to damage, to run."""

import faulthandler
import os
import shutil
import signal
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

# Before all else: it replaces sockets and threads, and whoever came earlier keeps the old ones.
import dify_plugin  # noqa: F401
import pytest
from gevent.monkey import get_original
from hypothesis import settings

from xinfer.build.preparation import prepare, write

ROOT = Path(__file__).parent.parent

# Nothing is timed: the first example of a test also pays for what it imports.
settings.register_profile("xinfer", deadline=None)
settings.load_profile("xinfer")


# A shell lets what it starts in the background ignore Ctrl-C, and the commands that tests interrupt
# would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


_BENCH = ("matplotlib", "openai", "psutil", "xinference_client")
collect_ignore = [] if all(map(find_spec, _BENCH)) else ["test_benchmarks.py"]
_ENDS_WITHIN = 60
"""Seconds."""
LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "only_if(condition, advice): leave the test out unless the condition holds; the summary"
        " prints the advice.",
    )


def pytest_collection_modifyitems(config, items):
    """Deselect what the markers leave out."""
    advice = {
        item: mark.args[1]
        for item in items
        for mark in item.iter_markers("only_if")
        if not mark.args[0]
    }
    config.stash[LEFT_OUT] = Counter(advice.values())
    if advice:
        items[:] = [item for item in items if item not in advice]
        config.hook.pytest_deselected(items=list(advice))


def pytest_sessionfinish(exitstatus):
    """Stop what tests started for each other, and end in any case.

    Python waits at its end for every thread that a test left running, and would for ever.
    """
    get_original("_thread", "start_new_thread")(_end, (int(exitstatus),))
    if emitted := sys.modules.get("emitted"):
        emitted.running.close()


def _end(status):
    get_original("time", "sleep")(_ENDS_WITHIN)
    sys.stderr.write(f"Python did not end within {_ENDS_WITHIN} s of the last test:\n")
    faulthandler.dump_traceback()
    os._exit(status)


def pytest_terminal_summary(terminalreporter, config):
    for advice, number in config.stash.get(LEFT_OUT, Counter()).items():
        tests = "test" if number == 1 else "tests"
        terminalreporter.line(f"Left out, {number} {tests}: {advice}.")
    for path in collect_ignore:
        terminalreporter.line(f"Left out, {path}: install the dependency group bench.")


@pytest.fixture
def home(tmp_path):
    """A project of one's own, as a clone has it."""
    for name in ("provider_spec.py", "build.py"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "plugin", tmp_path / "plugin")
    return tmp_path


@pytest.fixture
def plugin_folder(tmp_path):
    """Build the plugin of the example provider, which is free of findings."""
    return write(prepare(ROOT / "examples/tariff/provider_spec.py"), tmp_path / "built").folder


@pytest.fixture(scope="session")
def xinference_folder(tmp_path_factory):
    """Build the plugin of this repository, to be started and left as it is."""
    return write(prepare(ROOT / "provider_spec.py"), tmp_path_factory.mktemp("built")).folder
