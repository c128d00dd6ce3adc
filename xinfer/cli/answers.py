"""Print the answers of a model: for people, for scripts, or as the plugin sent them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any

import click

from xinfer.cli.terminal import json_text, visible

type Answer = Iterator[dict[str, Any]]


def show(model_type: str, answer: Answer, output: IO[bytes]) -> None:
    """Print an answer for people: its content to ``output``, figures to standard error."""
    _SHOW[model_type](answer, output)


def as_json(model_type: str, answer: Answer, output: IO[bytes]) -> None:
    """Print an answer as one JSON object; speech goes to ``output``, and its size is printed."""
    result = _COLLECT[model_type](answer, output)
    click.echo(json_text(result, indent=2))


def raw(answer: Answer) -> None:
    """Print each payload of an answer as the plugin sent it, a line each."""
    for piece in answer:
        click.echo(json_text(piece))


def show_text(answer: Answer, output: IO[bytes]) -> dict[str, Any]:
    """Print a language model's answer as it arrives, then its figures.

    :return: its text, tool calls, usage, finish reason and times, as for scripts.
    """
    result = _collect_text(answer, output)
    click.secho(", ".join(_figures(result)), err=True, dim=True)
    return result


def _figures(result: Mapping[str, Any]) -> Iterator[str]:
    usage, first, seconds = result["usage"], result["first_token_seconds"], result["seconds"]
    if usage:
        yield f"{usage['prompt_tokens']} + {usage['completion_tokens']} tokens"
    if result["finish_reason"]:
        yield f"finish reason: {visible(str(result['finish_reason']))}"
    if first is not None:
        yield f"first token after {first:.2f} s"
    if usage and first is not None and seconds > first:
        yield f"{usage['completion_tokens'] / (seconds - first):.0f} tokens/s"


def _collect_text(answer: Answer, output: IO[bytes] | None) -> dict[str, Any]:
    began = time.perf_counter()
    first: float | None = None
    usage, reason = None, None
    text: list[str] = []
    calls: list[dict[str, Any]] = []
    for piece in answer:
        delta = piece["delta"]
        content, called = delta["message"]["content"], delta["message"]["tool_calls"]
        printed = [content] if isinstance(content, str) and content else []
        text += printed
        calls += called
        printed += [json_text(call) for call in called]
        if printed and first is None:
            first = time.perf_counter() - began
        if output:
            _print(output, "".join(printed))
        usage, reason = delta["usage"] or usage, delta["finish_reason"] or reason
    if output:
        _print(output, "\n")
    return {
        "text": "".join(text),
        "tool_calls": calls,
        "usage": usage,
        "finish_reason": reason,
        "first_token_seconds": first,
        "seconds": time.perf_counter() - began,
    }


def _merged(answer: Answer, output: IO[bytes]) -> dict[str, Any]:  # noqa: ARG001 (one of several)
    merged: dict[str, Any] = {}
    for part in answer:
        merged.update(part)
    return merged


def _speech(answer: Answer, output: IO[bytes]) -> dict[str, Any]:
    mime = ""
    size = 0
    for part in answer:
        size += output.write(bytes.fromhex(part["result"]))
        mime = part.get("mime_type") or mime
    output.flush()
    return {"bytes": size, "mime_type": mime}


_COLLECT: Mapping[str, Callable[[Answer, IO[bytes]], dict[str, Any]]] = {
    "llm": lambda answer, output: _collect_text(answer, None),  # noqa: ARG005
    "text-embedding": _merged,
    "rerank": _merged,
    "speech2text": _merged,
    "tts": _speech,
    "moderation": _merged,
}


def _show_embeddings(answer: Answer, output: IO[bytes]) -> None:
    for part in answer:
        _write(output, map(_beginning, part["embeddings"]))
        click.secho(f"{part['usage']['tokens']} tokens", err=True, dim=True)


def _beginning(vector: list[float]) -> str:
    start = ", ".join(f"{number:.4f}" for number in vector[:4])
    return f"[{start}, …] {len(vector)} dimensions"


def _show_ranking(answer: Answer, output: IO[bytes]) -> None:
    for part in answer:
        _write(output, (f"{doc['score']:8.4f}  {doc['text']}" for doc in part["docs"]))


def _show_result(answer: Answer, output: IO[bytes]) -> None:
    for part in answer:
        _write(output, [str(part["result"])])


def _show_speech(answer: Answer, output: IO[bytes]) -> None:
    spoken = _speech(answer, output)
    click.secho(f"{spoken['bytes']} bytes of {spoken['mime_type'] or 'audio'}", err=True, dim=True)


def _write(output: IO[bytes], lines: Iterable[str]) -> None:
    _print(output, "".join(f"{line}\n" for line in lines))


def _print(output: IO[bytes], text: str) -> None:
    """Write words, escaped as all that is printed, to a stream that takes speech too."""
    output.write(visible(text, keep="\n\t").encode())
    output.flush()


_SHOW: Mapping[str, Callable[[Answer, IO[bytes]], object]] = {
    "llm": show_text,
    "text-embedding": _show_embeddings,
    "rerank": _show_ranking,
    "speech2text": _show_result,
    "tts": _show_speech,
    "moderation": _show_result,
}
