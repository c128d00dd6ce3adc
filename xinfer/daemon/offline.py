"""Commands without a network: in a namespace that has none, else with dead addresses."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping

_NOWHERE = "http://127.0.0.1:9"
"""The discard port: an index and a proxy that do not answer."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")

VARIABLES: Mapping[str, str] = {
    **dict.fromkeys((*_PROXIES, *(name.lower() for name in _PROXIES)), _NOWHERE),
    "UV_DEFAULT_INDEX": _NOWHERE,
    "UV_INDEX_URL": _NOWHERE,
    "UV_HTTP_RETRIES": "0",
    "UV_PYTHON_DOWNLOADS": "never",
    "NO_PROXY": "",
    "no_proxy": "",
}
"""Variables with which every request fails at once, also without a namespace."""


def namespace() -> tuple[str, ...]:
    """Return a command that runs another one without a network; empty where there is none."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return ()
    command = [unshare, "-rn", "true"]
    tried = subprocess.run(command, capture_output=True, check=False)  # noqa: S603
    return (unshare, "-rn") if tried.returncode == 0 else ()


def isolated() -> bool:
    """Return whether a rehearsal without a network runs in a namespace that has none."""
    return bool(namespace())
