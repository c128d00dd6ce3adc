"""A fake server with a model of each kind that was reported about.

The reports run through the emitted plugin, in a process of its own.
"""

import pytest
from emitted import fresh_server

from xinfer.testing.server import Served


@pytest.fixture
def server():
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
    with fresh_server(models) as started:
        yield started
