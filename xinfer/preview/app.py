"""The page's server, on loopback only: static files, views, icons, and an event at each save.

A request must come to this host and port, from this page, with the token of this run in its path;
so another page in the same browser can neither read a plugin nor start one.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from attrs import define, field
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from xinfer.preview.loader import LoadedPlugin, LoadError, trial
from xinfer.preview.watched import saves

_PAGE = Path(__file__).parent / "page"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_IDLE = 15.0
"""Seconds between two comments in the event stream, which tell a closed page from a quiet one."""


@define(eq=False)
class Preview:
    """One run of the preview: the plugin as it last loaded, and what the last save brought.

    :param server_url: a model server to try the plugin with; a fake one where it is ``None``.
    """

    path: Path
    server_url: str | None = None
    token: str = field(factory=lambda: secrets.token_urlsafe(16), init=False)
    generation: int = field(default=0, init=False)
    error: str | None = field(default=None, init=False)
    _loaded: LoadedPlugin | None = field(default=None, init=False)
    _changed: asyncio.Condition = field(factory=asyncio.Condition, init=False)
    _asking: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def reload(self) -> None:
        """Load the plugin again; one that does not load leaves the last good one in place."""
        try:
            loaded = await asyncio.to_thread(LoadedPlugin.load, self.path)
        except LoadError as error:
            self.error = str(error)
        else:
            async with self._asking:
                if self._loaded:
                    self._loaded.close()
                self._loaded, self.error = loaded, None
        async with self._changed:
            self.generation += 1
            self._changed.notify_all()

    async def watch(self) -> None:
        """Load at each save, until cancelled."""
        folder = self.path if self.path.is_dir() else self.path.parent
        async for _ in saves(folder):
            await self.reload()

    async def ask(self, question: dict[str, Any]) -> Any:
        """Ask the loaded plugin; ``None`` if none has loaded yet.

        :raises LoadError: it does not answer.
        """
        async with self._asking:
            if self._loaded is None:
                return None
            return await asyncio.to_thread(self._loaded.ask, question)

    def status(self) -> dict[str, Any]:
        """Describe the plugin and whether the last save loaded."""
        return {
            "generation": self.generation,
            "error": self.error,
            "about": self._loaded.about if self._loaded else None,
        }

    async def events(self) -> AsyncIterator[str]:
        """Yield the number of each generation as a server-sent event."""
        seen = -1
        while True:
            # A save during the last send has notified already: the count tells.
            async with self._changed:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_IDLE):
                        while self.generation == seen:
                            await self._changed.wait()
            if self.generation == seen:
                yield ": idle\n\n"
            else:
                seen = self.generation
                yield f"data: {seen}\n\n"

    def close(self) -> None:
        """End the process that holds the plugin."""
        if self._loaded:
            self._loaded.close()


def application(preview: Preview, port: int) -> Starlette:
    """Make the ASGI application of one run."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.preview = preview
        watching = asyncio.create_task(preview.watch())
        await asyncio.sleep(0)  # the watch begins before the load, so that no save is missed
        await preview.reload()
        try:
            yield
        finally:
            watching.cancel()
            preview.close()

    base = f"/{preview.token}"
    routes = [
        Route(f"{base}/", _page),
        Route(f"{base}/status", _status),
        Route(f"{base}/view", _view, methods=["POST"]),
        Route(f"{base}/events", _events),
        Route(f"{base}/try", _try, methods=["POST"]),
        Route(f"{base}/icons/{{name}}", _icon),
        Route(f"{base}/{{name}}", _asset),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
    app.add_middleware(BaseHTTPMiddleware, dispatch=_guard(hosts))
    return app


def _preview(request: Request) -> Preview:
    preview: Preview = request.app.state.preview
    return preview


async def _page(_: Request) -> Response:
    return _static("index.html")


async def _asset(request: Request) -> Response:
    return _static(request.path_params["name"])


async def _status(request: Request) -> Response:
    return JSONResponse(_preview(request).status())


async def _view(request: Request) -> Response:
    try:
        return JSONResponse(await _preview(request).ask({"view": await request.json()}))
    except (LoadError, ValueError) as error:
        return JSONResponse({"error": str(error)}, status_code=422)


async def _icon(request: Request) -> Response:
    name = request.path_params["name"]
    content = await _preview(request).ask({"icon": name})
    if content is None:
        return PlainTextResponse("no such icon", status_code=404)
    kind = guess_type(name)[0] or "application/octet-stream"
    return Response(base64.b64decode(content), media_type=kind)


async def _events(request: Request) -> Response:
    return StreamingResponse(_preview(request).events(), media_type="text/event-stream")


async def _try(request: Request) -> Response:
    payload, preview = await request.json(), _preview(request)
    options = {
        "spec": preview.path,
        "message": str(payload["message"]),
        "credentials": dict(payload["credentials"]),
        "server_url": preview.server_url,
    }
    return StreamingResponse(_lines(options), media_type="application/x-ndjson")


def _guard(
    hosts: set[str],
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    origins = {f"http://{host}" for host in hosts}

    async def dispatch(
        request: Request, answer: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        origin = request.headers.get("origin")
        if request.headers.get("host") not in hosts or (origin and origin not in origins):
            return PlainTextResponse("This page answers to itself alone.", status_code=403)
        response = await answer(request)
        response.headers.update(_HEADERS)
        return response

    return dispatch


def _static(name: str) -> Response:
    path = _PAGE / name
    if name not in _STATIC:
        return PlainTextResponse("not found", status_code=404)
    return Response(path.read_bytes(), media_type=_STATIC[name])


_STATIC = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "draw.js": "text/javascript; charset=utf-8",
    "panel.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


async def _lines(options: dict[str, Any]) -> AsyncIterator[str]:
    """Run a trial and hand on each of its events as a line of JSON."""
    running = trial(**options)
    events = await asyncio.to_thread(running.__enter__)
    try:
        while (event := await asyncio.to_thread(next, events, None)) is not None:
            yield json.dumps(event, ensure_ascii=False) + "\n"
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
