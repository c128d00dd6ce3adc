"""Paths of values: as steps, and as text."""

from __future__ import annotations

import re

from xinfer.spec.span import Steps


def steps_of(path: str) -> Steps:
    """Split a path: ``options[2].value`` into ``("options", 2, "value")``."""
    return tuple(int(step[1]) if step[1] else step[0] for step in _STEP.finditer(path))


def dotted(steps: Steps) -> str:
    """Write a path as text: ``models.llm[0].name``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    return text.removeprefix(".")


_STEP = re.compile(r"\[(\d+)\]|[^.\[\]]+")
