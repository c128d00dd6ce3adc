"""Cases of which a run tries representatives, and with ``XINFER_ALL=1`` all: ``.ci/all``."""

import os

import pytest

ALL = pytest.mark.only_if("XINFER_ALL" in os.environ, "set XINFER_ALL=1 to try every case")


def every(cases, *representatives):
    """Return the parameters of a test; those that are no representatives are left out."""
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)),
            marks=() if case in representatives else ALL,
        )
        for case in cases
    ]
