"""The event stream behind the page: every save reaches it."""

import asyncio
import threading
from contextlib import aclosing

from preview.browser import SPEC
from xinfer.preview.app import Preview
from xinfer.preview.watched import saves


def test_a_save_during_the_sending_of_an_event_is_sent_too(tmp_path):
    (tmp_path / SPEC).write_text("raise SystemExit\n")

    async def follow() -> list[str]:
        preview = Preview(tmp_path / SPEC)
        async with aclosing(preview.events()) as events:
            first = await anext(events)
            await preview.reload()
            async with asyncio.timeout(5):
                second = await anext(events)
            return [first, second]

    assert asyncio.run(follow()) == ["data: 0\n\n", "data: 1\n\n"]


def test_a_folder_that_a_build_exchanges_is_watched_on(tmp_path):
    folder = tmp_path / "acme"
    folder.mkdir()
    stop = threading.Event()

    async def exchange(number: int) -> None:
        await asyncio.sleep(0.3)
        new = tmp_path / f"new-{number}"
        new.mkdir()
        (new / "manifest.yaml").write_text(f"version: 0.0.{number}\n")
        folder.rename(tmp_path / f"old-{number}")
        new.rename(folder)

    async def follow() -> list[str]:
        versions = []
        async with aclosing(saves(folder, stop)) as saved:
            for number in range(3):
                exchanging = asyncio.create_task(exchange(number))
                async with asyncio.timeout(30):
                    await anext(saved)
                await exchanging
                versions.append((folder / "manifest.yaml").read_text())
        return versions

    assert asyncio.run(follow()) == [f"version: 0.0.{number}\n" for number in range(3)]
