"""A plugin's folder to do harm to."""

from pathlib import Path

import pytest

from xinfer.build import prepare, write


@pytest.fixture
def plugin_folder(tmp_path):
    """Build the plugin of the example provider, which is free of findings."""
    spec = Path(__file__).parent.parent / "examples/tariff/provider_spec.py"
    return write(prepare(spec), tmp_path / "built").folder
