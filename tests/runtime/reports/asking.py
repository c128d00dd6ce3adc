"""Questions to a model of the fake server, and the answers that it gives next."""

import json

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from emitted import LLM
from under_sdk import credentials_for, reply_of

from xinfer.testing.server.answer import DONE, Answer, as_json, event, stream

HI = [UserPromptMessage(content="Hi")]
LOOK = PromptMessageTool(
    name="look",
    description="",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    },
)


def ask(server, *answers, uid="chat", streams=True, tools=(), messages=HI, on="/v1/chat", **set_):
    retries = set_.pop("retries", "0")
    for answer in answers:
        server.next_answer(answer, on=on)
    credentials = credentials_for(server, uid, max_retries=retries)
    return reply_of(LLM([]).invoke("m", credentials, messages, set_, list(tools), None, streams))


def called(answer):
    return [(c.function.name, json.loads(c.function.arguments)) for c in answer.calls]


def streamed(*deltas, done=True, **last) -> Answer:
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": last.pop("reason", "stop")}]}
    return stream([*map(event, events), event({**end, **last}), *([event(DONE)] if done else [])])


def at_once(**message) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return as_json({"choices": [choice]})


def either(content):
    """The same text as a stream, letter by letter, and at once."""
    return {
        True: streamed(*({"content": letter} for letter in content)),
        False: at_once(content=content),
    }


BOTH = pytest.mark.parametrize("streams", [True, False])


HELLO = {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
