"""A contestant at work: calls as Dify makes them, and what its process spent on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil
from attrs import define, field

from xinfer.daemon.process import PluginProcess

MESSAGE = {"role": "user", "content": "Hi", "name": "", "tool_calls": []}


@define
class Contestant:
    """A running plugin and the credentials of a model for it; made by :meth:`start`."""

    plugin: PluginProcess
    server_url: str
    _validated: dict[tuple[str, str], dict[str, Any]] = field(factory=dict)

    @classmethod
    @contextmanager
    def start(
        cls, folder: Path, server_url: str, environment: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """Start the plugin in a folder; kill it in the end."""
        with PluginProcess.start(folder, environment=environment) as plugin:
            yield cls(plugin, server_url)

    def credentials(self, uid: str, model_type: str) -> dict[str, Any]:
        """Validate the credentials of a model once, as Dify does when a user adds it."""
        if (uid, model_type) not in self._validated:
            self._validated[uid, model_type] = self.validate(uid, model_type)
        return self._validated[uid, model_type]

    def validate(self, uid: str, model_type: str) -> dict[str, Any]:
        """Validate the credentials of a model; return what is stored for it."""
        credentials = {"server_url": self.server_url, "model_uid": uid}
        (answer,) = self.call("validate_model_credentials", uid, model_type, credentials)
        return answer.get("credentials") or credentials

    def chat(self, uid: str, tokens: int) -> Iterator[dict[str, Any]]:
        """Stream an answer of a known length."""
        return self.call(
            "invoke_llm",
            uid,
            "llm",
            self.credentials(uid, "llm"),
            prompt_messages=[MESSAGE],
            model_parameters={"max_tokens": tokens, "temperature": 0.5},
            stop=None,
            tools=None,
            stream=True,
        )

    def embed(self, texts: list[str], uid: str = "embed") -> dict[str, Any]:
        """Turn one batch of texts into vectors."""
        credentials = self.credentials(uid, "text-embedding")
        (answer,) = self.call(
            "invoke_text_embedding",
            uid,
            "text-embedding",
            credentials,
            texts=texts,
            input_type="document",
        )
        return answer

    def max_chunks(self) -> int:
        """Return how many texts the schema of the embedding model allows in one call."""
        credentials = self.credentials("embed", "text-embedding")
        (answer,) = self.call("get_ai_model_schemas", "embed", "text-embedding", credentials)
        return int(answer["model_schema"]["model_properties"]["max_chunks"])

    def rerank(self, documents: list[str]) -> dict[str, Any]:
        """Score documents."""
        credentials = self.credentials("rerank", "rerank")
        (answer,) = self.call(
            "invoke_rerank",
            "rerank",
            "rerank",
            credentials,
            query="Hi",
            docs=documents,
            score_threshold=0,
            top_n=0,
        )
        return answer

    def transcribe(self, recording: bytes) -> dict[str, Any]:
        """Write down a recording."""
        credentials = {"server_url": self.server_url, "model_uid": "listen"}
        (answer,) = self.call(
            "invoke_speech2text", "listen", "speech2text", credentials, file=recording.hex()
        )
        return answer

    def call(
        self, action: str, model: str, model_type: str, credentials: dict[str, Any], **data: Any
    ) -> Iterator[dict[str, Any]]:
        """Ask the plugin for one thing."""
        return self.plugin.call(
            action,
            provider="xinference",
            model=model,
            model_type=model_type,
            credentials=credentials,
            **data,
        )

    def cpu(self) -> float:
        """Read the seconds of CPU that the process and its children have spent so far."""
        return cpu_seconds(self.plugin.pid)

    def peak(self) -> float:
        """Read the most MB that were resident so far."""
        return peak_mb(self.plugin.pid)

    def memory(self) -> float:
        """Read the MB that are resident, each shared page counted by its share."""
        return memory_mb(self.plugin.pid)


def peak_mb(pid: int) -> float:
    """Read the most that was ever resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("the system does not tell the highest memory of a process")


def cpu_seconds(pid: int) -> float:
    """Read the CPU time of a process and its children, to the nanosecond where Linux counts so."""
    process = psutil.Process(pid)
    return sum(map(_own_cpu, [process, *process.children(recursive=True)]))


def _own_cpu(process: psutil.Process) -> float:
    threads = list(Path(f"/proc/{process.pid}/task").glob("*/schedstat"))
    if threads:
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    times = process.cpu_times()
    return float(times.user + times.system)


def memory_mb(pid: int) -> float:
    """Read the proportional memory of a process and its children, or the resident one."""
    process = psutil.Process(pid)
    total = 0
    for member in (process, *process.children(recursive=True)):
        info = member.memory_full_info()
        total += getattr(info, "pss", 0) or info.rss
    return total / 1e6
