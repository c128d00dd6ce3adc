"""The tiny models, made by the server's own Python."""

import os
import subprocess

from live.place import HERE, home, last_words, log, python

_LONGEST = 1800
"""Seconds for all of them; they take 3 minutes on two cores."""


def make_models():
    """Make what is not there yet, or was made by another recipe.

    :raises RuntimeError: that failed; the text ends with what was said.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": str(HERE.parent),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    try:
        with log("making").open("w") as file:
            subprocess.run(
                [python(), "-m", "live.making", home() / "models"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST,
                check=True,
            )
    except subprocess.SubprocessError as error:
        raise RuntimeError(f"The models cannot be made: {error}\n{last_words('making')}") from None
