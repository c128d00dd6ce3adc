"""Hypothesis strategies for everything a provider declares and everything a user may enter.

.. code-block:: python

    @given(raw=raw_credentials(MyCredentials))
    def test_valid_credentials_are_accepted(raw):
        MyCredentials.from_form(raw)

    @given(broken=broken_credentials(MyCredentials))
    def test_what_is_wrong_is_named(broken):
        with pytest.raises(FormError) as caught:
            MyCredentials.from_form(broken.raw)
        assert broken.variable in [problem.variable for problem in caught.value.problems]
"""

from xinfer.testing.credentials import (
    Broken,
    broken_credentials,
    credentials_classes,
    raw_credentials,
)
from xinfer.testing.projects import projects
from xinfer.testing.specs import specs, texts

__all__ = [
    "Broken",
    "broken_credentials",
    "credentials_classes",
    "projects",
    "raw_credentials",
    "specs",
    "texts",
]
