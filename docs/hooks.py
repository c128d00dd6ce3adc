"""Pages of the site that are generated as it is built: the commands' help, and the rules."""

from typing import Any

from mkdocs.structure.files import File, Files

from xinfer.cli.site import generated_pages


def on_files(files: Files, config: Any) -> Files:
    """Add the generated pages."""
    for path, text in generated_pages().items():
        files.append(File.generated(config, path, content=text))
    return files
