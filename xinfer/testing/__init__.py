"""Tools to test a provider.

:class:`Conformance` tests what Dify expects of every provider:

.. code-block:: python

    class TestAcme(Conformance):
        project = project

Hypothesis strategies for everything a provider declares and everything a user may enter:

.. code-block:: python

    @given(raw=raw_credentials(MyCredentials))
    def test_valid_credentials_are_accepted(raw):
        MyCredentials.from_form(raw)

    @given(broken=broken_credentials(MyCredentials))
    def test_what_is_wrong_is_named(broken):
        with pytest.raises(FormError) as caught:
            MyCredentials.from_form(broken.raw)
        assert broken.variable in [problem.variable for problem in caught.value.problems]

The names here are imported on first use: the fake server in :mod:`xinfer.testing.server` needs
neither Hypothesis nor pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinfer.testing.conformance import Conformance
    from xinfer.testing.strategies import (
        Broken,
        broken_credentials,
        credentials_classes,
        projects,
        raw_credentials,
        specs,
        texts,
    )

__all__ = [
    "Broken",
    "Conformance",
    "broken_credentials",
    "credentials_classes",
    "projects",
    "raw_credentials",
    "specs",
    "texts",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = "conformance" if name == "Conformance" else "strategies"
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("hypothesis", "pytest"):
            raise
        raise ImportError(
            f"{__name__}.{name} needs {error.name}: install dify-xinfer[testing]"
        ) from error
