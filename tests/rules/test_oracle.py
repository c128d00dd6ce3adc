"""Valid plugins made wrong at random: ``check`` never fails, and agrees with the SDK's own loading.

Whatever the SDK refuses to load must be found refused. The other way round holds for what cannot
be read: where our reading says so, the SDK, or else the daemon, must refuse it too.
"""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from mutants import FILES, mutations
from representatives import examples
from sdk import Oracle

from xinfer.build.preparation import prepare, write
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.read import read_plugin
from xinfer.rules import Severity, check

ROOT = Path(__file__).parents[2]

DAEMON_ONLY = {
    "author",
    "max",
    "min",
    "created_at",
    "tags",
    "description",
    "icon",
    "repo",
    "privacy",
    "contact",
    "verified",
    "position",
    "memory",
    "help",
    "url",
    "background",
    "predefined",
    "max_length",
}
"""Keys whose values the daemon reads more strictly than the SDK does."""


def of_the_daemon(path):
    # A label that is "" or [] is none to the SDK, and no mapping to Go.
    steps = path.replace("[", ".").split(".")
    return steps[-1] == "label" or not DAEMON_ONLY.isdisjoint(steps)


@pytest.fixture(scope="module")
def tariff(tmp_path_factory):
    out = tmp_path_factory.mktemp("tariff")
    return write(prepare(ROOT / "examples/tariff/provider_spec.py"), out).folder


@pytest.fixture(scope="module")
def oracle():
    with Oracle.start() as started:
        yield started


def test_check_agrees_with_the_sdk(tariff, oracle, tmp_path):
    folder = tmp_path / "plugin"
    assert "error" not in oracle.load(tariff)
    assert check(read_plugin(tariff)) == ()

    @given(mutation=mutations(tariff))
    @settings(max_examples=examples(200), deadline=None, suppress_health_check=list(HealthCheck))
    def agree(mutation):
        file, text = mutation
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tariff, folder)
        (folder / file).write_text(text, "utf-8")
        error = oracle.load(folder).get("error")
        findings = check(read_plugin(folder))
        refused = [finding for finding in findings if finding.severity is Severity.REFUSED]
        event("refused" if error else "accepted")
        if error:
            assert refused, f"{error}\n{text}"
        else:
            unread = [f for f in refused if f.code in ("XI004", "XI011", "XI013", "XI412")]
            stricter = [f for f in unread if not of_the_daemon(f.path)]
            assert not stricter, f"{stricter}\n{text}"

    agree()


@given(
    content=st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@settings(max_examples=examples(100), deadline=None, suppress_health_check=list(HealthCheck))
def test_no_file_whatever_makes_check_fail(tariff, tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("odd") / "plugin"
    shutil.copytree(tariff, folder)
    for file in FILES:
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(content)
        assert [f for f in check(read_plugin(folder)) if f.severity is Severity.REFUSED]
        (folder / file).write_bytes(before)
    package = folder.with_suffix(".difypkg")
    package.write_bytes(content)
    with pytest.raises(UnreadablePlugin):
        check(read_plugin(package))
