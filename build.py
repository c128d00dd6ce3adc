"""Build the plugin that ``provider_spec.py`` declares: ``uv run build.py [--check]``."""

from xinfer.cli.build import build

if __name__ == "__main__":
    build(prog_name="build.py")
