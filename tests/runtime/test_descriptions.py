"""What servers said of their models: kept a minute, asked once, failures not kept, bounded."""

import threading

import pytest

from xinfer.runtime.openai import (
    ModelDescription,
    Server,
    ServerUnavailable,
)
from xinfer.runtime.openai.cache import LIFETIME, Cache
from xinfer.runtime.xinference import XinferenceClient
from xinfer.spec import Secret
from xinfer.testing.server import FakeServer, Served, faults


def asked(server):
    return [arrived.path for arrived in server.requests if arrived.method == "GET"]


def test_a_description_is_asked_for_once_in_a_minute():
    with FakeServer() as server:
        client = XinferenceClient(Server(base_url=server.url))
        assert client.describe("chat") is client.describe("chat")
        assert len(asked(server)) == 1
        client.describe("chat", fresh=True)
        client.describe("embed")
        assert len(asked(server)) == 3


def test_keys_and_servers_do_not_share_what_was_said():
    with FakeServer(key="a", limited={"b": ["chat"]}) as server:
        for key in ("a", "b"):
            XinferenceClient(Server(base_url=server.url, api_key=Secret(key))).describe("chat")
        assert len(asked(server)) == 2


def test_a_failure_is_not_kept():
    with FakeServer() as server:
        client = XinferenceClient(Server(base_url=server.url, max_retries=0))
        server.next_answer(faults.CRASHED, on="/v1/models")
        with pytest.raises(ServerUnavailable):
            client.describe("chat")
        assert client.describe("chat").task == "llm"


def test_many_at_once_make_one_request():
    slow = Served(uid="slow")
    with FakeServer([slow]) as server:
        server.next_answer(faults.Stall(0.3), on="/v1/models")
        client = XinferenceClient(Server(base_url=server.url))
        descriptions = []
        threads = [
            threading.Thread(target=lambda: descriptions.append(client.describe("slow")))
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(asked(server)) == 1
        assert len(descriptions) == 20
        assert len({id(description) for description in descriptions}) == 1


class Asking:
    """Several callers that want the same model at once; one of them asks."""

    def __init__(self, cache):
        self.cache, self.asked, self.told, self.ready = cache, 0, [], threading.Event()

    def ask(self):
        self.asked += 1
        # The others have come by then; one that comes later would ask for itself.
        self.ready.wait(0.3)
        return self.answer()

    def look(self):
        try:
            self.told.append(self.cache.get("m", self.ask))
        except BaseException as error:
            self.told.append(error)

    def run(self, answer, callers=5):
        self.answer = answer
        threads = [threading.Thread(target=self.look) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def test_a_failure_reaches_all_who_wait():
    def fails():
        raise ServerUnavailable("no", "no")

    asking = Asking(Cache(512))
    asking.run(fails)
    assert [type(error) for error in asking.told] == [ServerUnavailable] * 5
    assert asking.asked == 1


def test_who_is_stopped_stops_nobody_else():
    description = ModelDescription(task="LLM")
    asking = Asking(Cache(512))

    def stopped_at_first():
        if asking.asked == 1:
            raise KeyboardInterrupt
        return description

    asking.run(stopped_at_first)
    assert sorted(type(error).__name__ for error in asking.told) == [
        "KeyboardInterrupt",
        *["ModelDescription"] * 4,
    ]
    assert asking.asked == 2


def test_answers_grow_old():
    now = [0.0]
    cache = Cache(512, clock=lambda: now[0])
    first = cache.get("m", lambda: ModelDescription(task="LLM"))
    now[0] = LIFETIME - 1
    assert cache.get("m", lambda: ModelDescription(task="rerank")) is first
    now[0] = LIFETIME + 1
    assert cache.get("m", lambda: ModelDescription(task="rerank")).task == "rerank"


def test_no_more_is_kept_than_there_is_room_for():
    cache = Cache(512)
    for number in range(5000):
        cache.get(number, lambda: ModelDescription(task="LLM"))
    assert len(cache._entries) <= 512
    assert cache.get(4999, lambda: ModelDescription(task="other")).task == "LLM"
    assert cache.get(0, lambda: ModelDescription(task="other")).task == "other"


def test_a_slow_answer_for_one_model_holds_up_no_other():
    cache, release = Cache(512), threading.Event()

    def slow():
        release.wait(5)
        return ModelDescription(task="slow")

    thread = threading.Thread(target=cache.get, args=("slow", slow))
    thread.start()
    assert cache.get("fast", lambda: ModelDescription(task="fast")).task == "fast"
    release.set()
    thread.join()
