"""A fake Xinference server, for tests and for calls without one.

.. code-block:: python

    with FakeServer() as server:
        requests.post(f"{server.url}/v1/chat/completions", json={"model": "chat", ...})
        server.requests[-1].body

It answers as Xinference 4.1.0 does, and stays so by a test that compares it with recorded
answers. What its models say follows from what they are asked; see
:mod:`~xinfer.testing.server.replies`. What goes wrong on a network or in a server is data, see
:mod:`~xinfer.testing.server.faults`:

.. code-block:: python

    from xinfer.testing.server.faults import LOADING, Cut

    server.next_answer(LOADING, on="/v1/models/")
    server.next_answer(Cut(after=2), on="/v1/chat/completions")
"""

from xinfer.testing.server.answer import Answer, Drop, Hold
from xinfer.testing.server.arrived import Arrived, Upload
from xinfer.testing.server.replies import Call, Reply
from xinfer.testing.server.served import MODELS, Reasoning, Served
from xinfer.testing.server.server import FakeServer

__all__ = [
    "MODELS",
    "Answer",
    "Arrived",
    "Call",
    "Drop",
    "FakeServer",
    "Hold",
    "Reasoning",
    "Reply",
    "Served",
    "Upload",
]
