"""The SDK's own loader as an oracle, in a process of its own: a folder in, what it read out.

Run as a program it answers each line of its input, a folder, with a line of JSON: the
configuration that Dify's SDK made of the plugin there, or the error.
"""

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path


class Oracle:
    def __init__(self, process):
        self._process = process

    @classmethod
    @contextmanager
    def start(cls):
        process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield cls(process)
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()

    def load(self, folder: Path) -> dict:
        """Load the plugin in a folder: ``{"provider": …, "models": […]}`` or ``{"error": …}``."""
        self._process.stdin.write(f"{folder}\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def _answers():
    from dify_plugin import DifyPluginEnv
    from dify_plugin.core.plugin_registration import PluginRegistration

    out, sys.stdout = sys.stdout, sys.stderr
    imported = set(sys.modules)
    for line in sys.stdin:
        os.chdir(line.strip())
        sys.path.insert(0, line.strip())
        try:
            registered = PluginRegistration(DifyPluginEnv())
            answer = {}
            for provider, _, models in registered.models_mapping.values():
                answer |= {
                    "provider": provider.model_dump(mode="json", by_alias=True),
                    "classes": sorted(kind.value for kind in models.models),
                }
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.path.remove(line.strip())
        for name in set(sys.modules) - imported:
            if name.partition(".")[0] in {"xinfer", "provider_spec", "models", "provider", "main"}:
                del sys.modules[name]
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    _answers()
