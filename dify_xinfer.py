"""Where the commands ``xinfer`` and ``dify-xinfer`` start.

On the package index the distribution ``xinfer`` is another project, for computer vision, whose
import name is the same. Where both are installed, their files overwrite each other, so this module
stands outside the package and looks before it imports anything of it.
"""

from __future__ import annotations

import sys
from importlib.metadata import distributions

CLASH = """\
xinfer: this environment also holds the distribution "xinfer", another project (computer vision) \
that installs into the same folder. Uninstall both, then install dify-xinfer again:
    {python} -m pip uninstall xinfer dify-xinfer
    {python} -m pip install dify-xinfer
Or run it in an environment of its own: uvx --python 3.12 dify-xinfer"""


def main() -> None:
    """Run the command line, unless another project of the same import name is installed."""
    # packages_distributions() says the same of any name, but reads every installed file list.
    if any(distributions(name="xinfer")):
        sys.exit(CLASH.format(python=sys.executable))
    from xinfer.cli import main as command

    command()
