"""The small plugin, in a folder."""

import pytest
from importer.small import SMALL, write_files


@pytest.fixture
def plugin(tmp_path):
    return write_files(tmp_path / "acme", SMALL)
