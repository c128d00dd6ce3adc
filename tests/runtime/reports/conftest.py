"""A fake server with a model of each kind that was reported about."""

import pytest

from xinfer.runtime.openai.ways import MEMORY
from xinfer.testing.server import FakeServer, Served


@pytest.fixture(scope="module")
def running():
    models = [
        Served(uid="chat", abilities=("chat", "tools")),
        Served(uid="thinker", abilities=("chat", "reasoning", "tools")),
        Served(uid="hybrid", abilities=("chat", "reasoning", "hybrid", "tools")),
        Served(uid="base", abilities=("generate",)),
        Served(uid="omni", abilities=("chat", "omni", "vision", "audio")),
        Served(uid="72B"),
        Served(uid="72B-1"),
        Served(uid="embed", model_type="embedding", abilities=("embed",)),
        Served(uid="rerank", model_type="rerank", abilities=("rerank",)),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture
def server(running):
    MEMORY.forget()
    running.requests.clear()
    return running
