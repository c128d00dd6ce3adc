"""Fixtures for the tests of a provider; pytest finds them where dify-xinfer is installed.

.. code-block:: python

    def test_a_question_reaches_the_service(plugin, server, spec):
        ...

``spec`` is the project that ``provider_spec.py`` declares (``xinfer_spec`` in pytest's settings
names another file), ``plugin`` its running plugin, ``server`` the fake server that answers it.
Each is started once a session, when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xinfer.daemon.process import PluginProcess
    from xinfer.spec import Project
    from xinfer.testing.provider import ProviderUnderTest
    from xinfer.testing.server import FakeServer

KEY = "sk-conformance-0f6b2c"
"""The API key that the fake server demands of ``provider``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the settings name the file that declares the provider."""
    parser.addini("xinfer_spec", "The file that declares the provider.", default="provider_spec.py")


@pytest.fixture(scope="session")
def start_provider() -> Iterator[Callable[[Path], ProviderUnderTest]]:
    """Start the provider that a file declares, once a session."""
    from xinfer.testing.provider import ProviderUnderTest

    running: dict[Path, ProviderUnderTest] = {}
    with ExitStack() as stack:

        def start(path: Path) -> ProviderUnderTest:
            if path not in running:
                running[path] = stack.enter_context(ProviderUnderTest.start(path, key=KEY))
            return running[path]

        yield start


@pytest.fixture
def provider(
    request: pytest.FixtureRequest, start_provider: Callable[[Path], ProviderUnderTest]
) -> ProviderUnderTest:
    """Run the provider beside a fake server: the test class's project, or the settings' file."""
    project = getattr(request.cls, "project", None)
    if project is not None:
        started = start_provider(Path(project.span.file))
    else:
        started = start_provider(_spec_file(request.config))
    started.server.requests.clear()
    started.server.forget_faults()
    return started


@pytest.fixture
def spec(request: pytest.FixtureRequest) -> Project:
    """Load the project that ``provider_spec.py`` declares."""
    from xinfer.build.load import load_spec

    return load_spec(_spec_file(request.config)).project


@pytest.fixture
def plugin(provider: ProviderUnderTest) -> PluginProcess:
    """Return the running plugin."""
    return provider.plugin


@pytest.fixture
def server(provider: ProviderUnderTest) -> FakeServer:
    """Return the fake server, with no request seen yet and no fault to come."""
    return provider.server


def _spec_file(config: pytest.Config) -> Path:
    path = config.rootpath / str(config.getini("xinfer_spec"))
    if not path.is_file():
        raise pytest.UsageError(
            f"There is no {path}: name the file that declares the provider in pytest's settings, "
            'e.g. xinfer_spec = "acme/provider_spec.py".'
        )
    return path
