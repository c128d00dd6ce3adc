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


def examples(number):
    """Return how many examples a costly property is tried on: of this number a third, or all."""
    return number if "XINFER_ALL" in os.environ else number // 3
