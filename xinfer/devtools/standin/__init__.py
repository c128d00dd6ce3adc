"""A stand-in for a Xinference server, for tests and for calls without one.

.. code-block:: python

    with StandIn() as server:
        requests.post(f"{server.url}/v1/chat/completions", json={"model": "chat", ...})
        server.requests[-1].body

It answers as Xinference 4.1.0 does, and stays so by a test that compares it with recorded
answers. What its models say follows from what they are asked; see
:mod:`~xinfer.devtools.standin.says`. What goes wrong on a network or in a server is data, see
:mod:`~xinfer.devtools.standin.faults`:

.. code-block:: python

    from xinfer.devtools.standin.faults import LOADING, Cut

    server.next_answer(LOADING, on="/v1/models/")
    server.next_answer(Cut(after=2), on="/v1/chat/completions")
"""

from xinfer.devtools.standin.answer import Answer, Drop, Hold
from xinfer.devtools.standin.arrived import Arrived, Upload
from xinfer.devtools.standin.says import Call, Said
from xinfer.devtools.standin.served import MODELS, Reasoning, Served
from xinfer.devtools.standin.server import StandIn

__all__ = [
    "MODELS",
    "Answer",
    "Arrived",
    "Call",
    "Drop",
    "Hold",
    "Reasoning",
    "Said",
    "Served",
    "StandIn",
    "Upload",
]
