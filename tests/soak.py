"""Days of work in a minute: the emitted plugin under load, and beside servers that fail it.

``uv run python tests/soak.py [--quick]`` prints the figures; it exits with 1 when an answer was
lost or wrong, the heartbeat stood still for as long as Dify's daemon waits, or memory or open
files grew.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import click
from attrs import frozen
from every_type import text_of
from rich.console import Console
from rich.table import Table
from soak_calls import Tally, chat, counting, mixed
from soak_measures import Heart, Weight
from soak_server import Server

from xinfer.build.preparation import prepare, write
from xinfer.daemon.process import CallError, PluginError, PluginProcess
from xinfer.testing.server.faults import Paced, Stall

SPEC = Path(__file__).parent.parent / "provider_spec.py"
HEARTBEAT = 1.0
"""Seconds between two heartbeats, instead of the SDK's ten: the gaps are seen better."""
PATIENCE = 120.0
"""Seconds without a heartbeat after which the daemon kills a plugin."""
WORKERS = 100
"""Instead of the SDK's thousand. Its pool starts another one whenever none has gone idle yet, up to
the last: for 20,000 calls that looks like a leak of 0.7 MB each 1,000, and then it ends."""
GROWTH = 1.05
"""How much the memory after the first block of calls may become."""
SPARE_FILES = 8
"""How many more files may be open at the end than after the first block."""
WAIT = 5
"""Seconds of ``invoke_timeout`` with the stalled server."""
TENANTS = 20
ATTACKS = (
    "flood",
    "comments",
    "empty_events",
    "trickled_comments",
    "endless_line",
    "bomb",
    "bomb_stream",
    "bomb_error",
    "titles",
    "large_call",
    "many_calls",
)
"""Of ``tests/hostile/attacker.py``."""


@contextmanager
def attacker():
    """Start the hostile server; yield its URL."""
    script = Path(__file__).with_name("hostile") / "attacker.py"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, script], **pipes) as process:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.stdin.close()


@frozen(kw_only=True)
class Size:
    """How much to do."""

    streams: int = 50
    stalled: int = 10
    broken: int = 20
    calls: int = 10_000
    block: int = 1_000
    workers: int = 16
    rounds: int = 20


QUICK = Size(streams=20, stalled=4, broken=6, calls=1_000, block=100, workers=8, rounds=5)


class Soak:
    """A plugin, and what has been found out about it."""

    def __init__(self, plugin, heart, size):
        self.plugin = plugin
        self.heart = heart
        self.size = size
        self.phases = []
        self.weights = []
        self.attacks = []

    def phase(self, name: str, run: Callable[[Tally], str]) -> None:
        """Do a part of the work and note what became of it."""
        tally, began = Tally(), time.monotonic()
        self.heart.gap()
        note = run(tally)
        self.phases.append((name, tally, time.monotonic() - began, self.heart.gap(), note))

    def weigh(self, when):
        self.weights.append((when, Weight.of(self.plugin.pid)))

    def streams(self, tally):
        """Many streams at once, each slow enough to meet all the others."""
        open_now, most = set(), 0
        number = self.size.streams
        together = threading.Barrier(number)

        def stream_numbers(place):
            nonlocal most
            together.wait(60)
            call = counting(40 + place % 20)
            pieces = []
            try:
                for piece in call.send(self.plugin, server.url):
                    pieces.append(piece)
                    open_now.add(place)
                    most = max(most, len(open_now))
            except CallError as error:
                return call.of_error(error)
            except PluginError as error:
                return "lost", str(error)
            finally:
                open_now.discard(place)
            return ("right", "") if call.right(pieces) else ("wrong", text_of(pieces))

        with Server.start(Paced(0.02), times=number) as server, self._pool(number) as pool:
            for outcome in pool.map(stream_numbers, range(number)):
                tally.note(outcome)
        return f"{most} streams were open at the same time"

    def stalled(self, tally):
        """A server accepts and says nothing; the calls to another one go on."""
        silent = chat(
            "Hi",
            error=("InvokeConnectionError", "did not answer in time"),
            settings={"invoke_timeout": str(WAIT)},
        )
        number = self.size.stalled
        waited = []

        def stall(server):
            began = time.monotonic()
            outcome = silent.outcome(self.plugin, server.url)
            waited.append(time.monotonic() - began)
            return outcome

        with (
            Server.start(Stall(3600), times=number) as dumb,
            Server.start(Stall(3600, after=3), times=number) as halting,
            Server.start() as healthy,
            self._pool(2 * number) as pool,
            self._pool(self.size.workers) as others,
        ):
            silence = [pool.submit(stall, server) for server in (dumb, halting) * number]
            meanwhile = 0
            while not all(waiting.done() for waiting in silence):
                block = range(meanwhile, meanwhile + 100)
                for outcome in others.map(
                    lambda n: mixed(n).outcome(self.plugin, healthy.url), block
                ):
                    tally.note(outcome)
                meanwhile += 100
            for waiting in silence:
                tally.note(waiting.result())
        return (
            f"silent ones ended after {min(waited):.1f} to {max(waited):.1f} s (limit {WAIT} s); "
            f"{meanwhile} other calls meanwhile"
        )

    def killed(self, tally):
        """A server is killed in the middle of streams, stays away, and comes back."""
        number = self.size.broken
        began = threading.Semaphore(0)

        with Server.start(Paced(0.05), times=number) as server, self._pool(number) as pool:
            broken = counting(400, error=("InvokeConnectionError", server.url))
            refused = chat("Hi", error=("InvokeConnectionError", server.url))

            def stream_until_killed(_):
                try:
                    for place, _piece in enumerate(broken.send(self.plugin, server.url)):
                        if place == 0:
                            began.release()
                except CallError as error:
                    return broken.of_error(error)
                except PluginError as error:
                    return "lost", str(error)
                return "wrong", "A stream ended well though its server was killed."

            running = [pool.submit(stream_until_killed, place) for place in range(number)]
            for _ in running:
                began.acquire(timeout=60)
            server.kill()
            died = time.monotonic()
            for stream in running:
                tally.note(stream.result())
            took = time.monotonic() - died
            tally.note(refused.outcome(self.plugin, server.url))
            server.up()
            server_is_back = [counting(9).outcome(self.plugin, server.url) for _ in range(3)]
            for outcome in server_is_back:
                tally.note(outcome)
        return f"all streams had ended {took:.2f} s after the kill; it came back and answered"

    def attacked(self, tally):
        """Tenants stream normally while another one's server attacks: what they see of it."""
        with Server.start() as server, attacker() as hostile:
            self._others(tally, server, "no attack", lambda: None)
            for attack in ATTACKS:
                harmed = chat("Hi", error=("Invoke", ""), settings={"invoke_timeout": str(WAIT)})
                url = f"{hostile}/{attack}"
                self._others(tally, server, attack, partial(harmed.outcome, self.plugin, url))
        (_, alone, *_), *others = self.attacks
        worst = max(others, key=lambda row: row[2])
        return (
            f"first tokens of others: p50 {alone * 1000:.0f} ms alone; p99 at worst "
            f"{worst[2] * 1000:.0f} ms, under {worst[0]}"
        )

    def _others(self, tally, server, name, attack):
        """Measure the first tokens of many tenants while an attack goes on."""
        stop = threading.Event()

        def harm():
            while not stop.is_set():
                attack()
                stop.wait(0.05)

        def first_token(place):
            call, began = counting(20 + place % 20), time.monotonic()
            pieces, waited = [], None
            try:
                for piece in call.send(self.plugin, server.url):
                    waited = waited or time.monotonic() - began
                    pieces.append(piece)
            except (CallError, PluginError) as error:
                return ("lost", str(error)), 0.0
            return ("right" if call.right(pieces) else "wrong", text_of(pieces)), waited

        self.heart.gap()
        thread = threading.Thread(target=harm)
        thread.start()
        with self._pool(TENANTS) as pool:
            results = list(pool.map(first_token, range(TENANTS * self.size.rounds)))
        gap = self.heart.gap()
        stop.set()
        thread.join(120)
        waits = sorted(wait for _, wait in results)
        for outcome, _ in results:
            tally.note(outcome)
        held = Weight.of(self.plugin.pid).pss
        p99 = waits[int(len(waits) * 0.99) - 1]
        self.attacks.append((name, waits[len(waits) // 2], p99, gap, held))

    def load(self, tally):
        """Calls of every kind, block after block, in one process."""
        began = time.monotonic()
        with Server.start() as server, self._pool(self.size.workers) as pool:
            for done in range(0, self.size.calls, self.size.block):
                block = range(done, done + self.size.block)
                for outcome in pool.map(lambda n: mixed(n).outcome(self.plugin, server.url), block):
                    tally.note(outcome)
                self.weigh(f"after {done + self.size.block} calls")
        return f"{self.size.calls / (time.monotonic() - began):.0f} calls a second"

    @staticmethod
    def _pool(workers):
        return ThreadPoolExecutor(workers)

    def faults(self):
        """Say what is not as it must be; nothing when all is well."""
        for name, tally, _, gap, _ in self.phases:
            if tally["lost"] or tally["wrong"]:
                yield f"{name}: {tally['lost']} lost, {tally['wrong']} wrong"
                yield from (f"  {why}" for why in tally.complaints)
            if gap > PATIENCE:
                yield f"{name}: no heartbeat for {gap:.0f} s"
        _, (_, first), *_, (_, last), _ = self.weights
        if last.pss > first.pss * GROWTH:
            yield f"Memory grew from {first.pss:.1f} to {last.pss:.1f} MB."
        if last.files > first.files + SPARE_FILES:
            yield f"Open files grew from {first.files} to {last.files}."

    def report(self, console):
        table = Table(title=f"The plugin under load (a heartbeat each {HEARTBEAT:.0f} s)")
        columns = ("", "requests", "right", "errors, as meant", "wrong", "lost", "seconds")
        for column in (*columns, "longest heartbeat gap"):
            table.add_column(column, justify="right" if column else "left")
        for name, tally, seconds, gap, _ in self.phases:
            counted = (tally[become] for become in ("right", "meant", "wrong", "lost"))
            numbers = (tally.total(), *counted)
            table.add_row(name, *map(str, numbers), f"{seconds:.1f}", f"{gap:.2f} s")
        console.print(table)
        for name, *_, note in self.phases:
            console.print(f"{name}: {note}", highlight=False)
        attacks = Table(title=f"{TENANTS} tenants while one server attacks")
        columns = ("attack", "first token p50", "p99", "longest heartbeat gap", "PSS MB")
        for column in columns:
            attacks.add_column(column, justify="right" if column != "attack" else "left")
        for name, p50, p99, gap, pss in self.attacks:
            milliseconds = f"{p50 * 1000:.0f} ms", f"{p99 * 1000:.0f} ms"
            attacks.add_row(name, *milliseconds, f"{gap:.2f} s", f"{pss:.0f}")
        console.print(attacks)
        held = Table(title="What its process holds")
        for column in ("", "PSS MB", "RSS MB", "open files", "sockets"):
            held.add_column(column, justify="right")
        for when, weight in self.weights:
            memory = f"{weight.pss:.1f}", f"{weight.rss:.1f}"
            held.add_row(when, *memory, str(weight.files), str(weight.sockets))
        console.print(held)


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="A tenth of it.")
def main(quick):
    size = QUICK if quick else Size()
    environment = {
        "HEARTBEAT_INTERVAL": str(HEARTBEAT),
        "MAX_WORKER": str(WORKERS),
        "NO_PROXY": "127.0.0.1",
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        PluginProcess.start(
            write(prepare(SPEC), Path(folder)).folder, environment=environment
        ) as plugin,
        Heart(plugin).watched() as heart,
    ):
        soak = Soak(plugin, heart, size)
        soak.weigh("at the start")
        soak.phase("calls of every kind", soak.load)
        soak.phase(f"{size.streams} streams at once", soak.streams)
        soak.phase("a stalled server", soak.stalled)
        soak.phase("a server killed", soak.killed)
        soak.phase("a server that attacks", soak.attacked)
        soak.weigh("at the end")
    console = Console(width=None if sys.stdout.isatty() else 130)
    soak.report(console)
    if faults := list(soak.faults()):
        console.print("\n".join(faults), style="red", markup=False)
        raise SystemExit(1)


if __name__ == "__main__":
    main()
