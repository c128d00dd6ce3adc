"""The conformance suite finds what it is there to find: each of its tests, failing once."""

import shutil

import pytest
from command_line import ROOT, run, xinfer
from hypothesis import strategies as st
from representatives import every

from xinfer.build.load import load_spec
from xinfer.testing import Conformance

SERVICE = "plugin/service.py"
LLM = "plugin/models/llm/llm.py"
RERANK = "plugin/models/rerank/rerank.py"
SPEC = "provider_spec.py"

FAULTS = {
    "a default out of range": (SPEC, "max=2)", "max=2, default=3)", "test_the_check_finds_nothing"),
    "every credential is accepted": (
        "plugin/provider/acme.py",
        "            Service.of(credentials).models()\n",
        "            pass\n",
        "test_wrong_credentials_are_refused",
    ),
    "no credential is accepted": (
        "plugin/provider/acme.py",
        "            Service.of(credentials).models()\n",
        '            raise InvokeError("no")\n',
        "test_credentials_are_accepted",
    ),
    "no text": (LLM, "if text := delta", "if text := ''", "test_a_model_answers"),
    "the worst document first": (
        RERANK,
        "reverse=True",
        "reverse=False",
        "test_a_model_answers",
    ),
    "another answer when it is whole": (
        LLM,
        'content=message.get("content") or ""',
        'content="no"',
        "test_streamed_and_whole_answers_agree",
    ),
    "every refusal a bad request": (
        SERVICE,
        "401: InvokeAuthorizationError",
        "401: InvokeBadRequestError",
        "test_an_error_has_its_class_and_its_cause",
    ),
    "busy is not told from wrong": (
        SERVICE,
        "429: InvokeRateLimitError",
        "429: InvokeBadRequestError",
        "test_an_error_that_may_pass_has_its_class",
    ),
    "the key in an error": (
        SERVICE,
        "answered {status}: {words}",
        "answered {status}: {response.request.headers}",
        "test_secrets_are_shown_nowhere",
    ),
    "the key in the log": (
        SERVICE,
        "        key = self._account.api_key.reveal()\n",
        "        key = self._account.api_key.reveal()\n        print(key)\n",
        "test_secrets_are_shown_nowhere",
    ),
    "the plugin does not start": (
        LLM,
        "import service\n",
        "import service\nimport no_such_module\n",
        "test_the_plugin_loads_in_the_sdk",
    ),
}


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    folder = tmp_path_factory.mktemp("conformance")
    types = ("--type", "llm", "--type", "rerank")
    run = xinfer("init", "acme", "--author", "me", "--kind", "own-python", *types, cwd=folder)
    assert run.returncode == 0, run.stderr
    return folder / "acme"


@pytest.mark.parametrize("fault", every(FAULTS, "the key in the log", "no text"))
def test_a_fault_of_a_provider_fails_the_test_for_it(acme, tmp_path, fault):
    path, right, wrong, test = FAULTS[fault]
    project = shutil.copytree(acme, tmp_path / "acme")
    file = project / path
    text = file.read_text()
    assert right in text
    file.write_text(text.replace(right, wrong, 1))
    tested = run("-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", test, cwd=project)
    assert tested.returncode == 1, tested.stdout
    assert test in tested.stdout


class TestXinference(Conformance):
    """The plugin of this repository."""

    project = load_spec(ROOT / "provider_spec.py").project
    strategies = {"ca_certificate": st.just((ROOT / "tests/data/ca.pem").read_text())}  # noqa: RUF012


class TestTariff(Conformance):
    """The example with predefined models."""

    project = load_spec(ROOT / "examples/tariff/provider_spec.py").project
