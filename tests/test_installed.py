"""Plugins in environments of their own, made as Dify's daemon makes them: nothing else is there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from registry import UV, needs_registry

from xinfer.build.preparation import prepare
from xinfer.daemon.process import PluginProcess
from xinfer.plugin.writer import write_tree

ROOT = Path(__file__).parent.parent
SMALL = """
from datetime import UTC, datetime
from xinfer.spec import *


class Server(Credentials):
    server_url: str = text_input(label=I18n("Server URL"), converter=http_url(), sets=base_url)
    model_uid: str = text_input(label=I18n("Model uid"), sets=model)


project = Project(
    manifest=Manifest(
        name="small",
        version="0.1.0",
        author="me",
        label=I18n("Small"),
        description=I18n("Small"),
        icon="icon_s_en.svg",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    ),
    provider=Provider(provider="small", label=I18n("Small")),
    credentials=Server,
    customizable_models=(
        CustomizableModel(
            model_type=ModelType.LLM, properties={"mode": "chat", "context_size": 4096}
        ),
    ),
    runtime=OpenAICompatible(),
)
"""


def specs(folder):
    yield ROOT / "provider_spec.py"
    yield ROOT / "examples/tariff/provider_spec.py"
    shutil.copytree(ROOT / "plugin/_assets", folder / "small/plugin/_assets")
    small = folder / "small/provider_spec.py"
    small.write_text(SMALL)
    yield small


@needs_registry
def test_plugins_start_with_what_they_require_and_nothing_else(tmp_path):
    # Not into the environment that runs the tests, wherever a developer keeps it.
    alone = {**os.environ, "VIRTUAL_ENV": "", "UV_PROJECT_ENVIRONMENT": ".venv"}
    for spec in specs(tmp_path):
        prepared = prepare(spec)
        folder = tmp_path / "plugins" / prepared.name
        write_tree(prepared.tree, folder)
        sync = [UV, "sync", "--no-dev", "--python", sys.executable]
        run = subprocess.run(sync, cwd=folder, env=alone, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        python = folder / ".venv/bin/python"
        with PluginProcess.start(folder, python=str(python), environment={"PYTHONPATH": ""}):
            pass
