"""Pages of the site that are generated: the commands' help is written as the site is built."""

from typing import Any

from mkdocs.structure.files import File, Files

from xinfer.cli.pages import commands_page


def on_files(files: Files, config: Any) -> Files:
    """Add the page of the commands."""
    files.append(File.generated(config, "reference/commands.md", content=commands_page()))
    return files
