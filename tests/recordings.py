"""Answers of real servers of eight versions, recorded: ``data/xinference/older``."""

import json
from functools import cache
from pathlib import Path

from xinfer.testing.server.answer import Answer, whole

_FOLDER = Path(__file__).parent / "data/xinference/older"


@cache
def recordings():
    """Return every recording, with its version."""
    files = sorted(_FOLDER.glob("*.json"))
    return [{"version": path.stem, **row} for path in files for row in json.loads(path.read_text())]


@cache
def recorded():
    """Return the recordings by version and case."""
    return {(row["version"], row["case"]): row for row in recordings()}


def answer_of(row) -> Answer:
    """Return the answer as the server gave it; of speech, its beginning."""
    body = bytes.fromhex(row["begins"]) if "begins" in row else row["body"].encode()
    return whole(body, row["type"], row["status"])


def name_of(row):
    """Return the name of a test of it."""
    return f"{row['version']}-{row['case']}"
