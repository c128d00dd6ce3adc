"""The event stream behind the page: every save reaches it."""

import asyncio
from contextlib import aclosing

from preview.browser import SPEC
from xinfer.preview.app import Preview


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
