"""What the kill tests are made of: services that are killed, senders that remember, a judge who knows no engine."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx

from .running import NDJSON, Receiver, wait_for

HERE = Path(__file__).parent
ID = re.compile(rb'id\\?"?[=:] ?(\d+)')

CACHES = ({}, {"hot": 0}, {"hot": 4}, {"hot": 0, "page_size": "4KiB", "memory": "8KiB"})
"""All objects, none, few, and too little room for the sessions that there are."""


class Zygote:
    """Starts services quickly. Hashes of strings are as the seed makes them: they differ from process to process."""

    def __init__(self, seed: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "zygote.py")],
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "PYTHONHASHSEED": str(seed)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, **order: Any) -> int:
        """Gives an order; the answer."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


class Killable:
    """A service of the tenant in `folder/shop` or of others, in one process or with workers. `state` outlives it."""

    def __init__(self, zygote: Zygote, folder: Path, *more: str, tenants: Sequence[str] = ("shop",)) -> None:
        self._zygote = zygote
        self._folder = folder
        (folder / "stdout").unlink(missing_ok=True)
        arguments = ["serve", *tenants, "--state", "state", "--config", "service.yaml"]
        arguments += ["--ingest", "127.0.0.1:0", "--monitor", "127.0.0.1:0", *more]
        self.pid = zygote.ask(serve=arguments, folder=str(folder))
        self.is_over = False
        self.ingest = self.monitor = ""

    def wait_until_ready(self) -> None:
        """Returns when it has said where it listens."""

        def greeting() -> list[str]:
            text = (self._folder / "stdout").read_text() if (self._folder / "stdout").exists() else ""
            return re.findall(r"http://127\.0\.0\.1:\d+", text) if "Ctrl-C" in text else []

        self.ingest, self.monitor = wait_for(greeting, 30)

    def post(self, body: bytes) -> int | None:
        """The status of the answer to a batch; None where there was none."""
        parts = urlsplit(self.ingest)
        connection = http.client.HTTPConnection(parts.netloc, timeout=1)
        try:
            connection.request("POST", "/v1/events/shop", body, NDJSON)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def is_quiet(self, letters_and_lines: set[int]) -> bool:
        """True when all has ended and is delivered, and events of these ids have left."""
        tenant = httpx.get(f"{self.monitor}/api/v1/tenants/shop", timeout=20).json()
        is_done = not (tenant["live_sessions"] or tenant["waiting_batches"])
        if not is_done or any(each["waiting_bytes"] for each in tenant["deliveries"]):
            return False
        state = self._folder / "state"
        left = (*written(state, "out"), *written(state, "dead-letters"))
        return letters_and_lines <= {int(found[1]) for line in left if (found := ID.search(line))}

    def end(self) -> int:
        """Waits; its exit code."""
        self.is_over = True
        return self._zygote.ask(wait=self.pid)


def tenant_of(random: Random) -> dict[str, Any]:
    """A tenant of which each event is known by its id, wherever it ends up."""
    by_events = random.random() < 0.5
    time_config: dict[str, Any] = {}
    if by_events:
        time_config = {
            "domain": "event",
            "idle_close": "1s",
            "allowed_lateness": random.choice(("0s", "2s")),
            "late": random.choice(("extend", "new", "dead_letter")),
        }
    rules = [
        "@AppendState(name='ids', colname='id', unique=false) select id from Click;",
        "@DecorateEvent select session.list('ids') as ids from VisitEnd;",
        *random.sample(
            (
                "@UpdateCounter('clicks') select 1 from Click;\n"
                "@DecorateEvent select session.int('clicks') as clicks from Click;",
                "@UpdateMetadata select id as first from Click(session.eventCount = 1);",
                "@EndSession select 1 from Click(n = 1);",
                "@SplitSession select 1 from Click(n = 2);",
                "@UpdateDuration select 500 as _duration_ from Click(n = 3);",
                "@UpdateState select 1 % n as rest from Click(n = 0);",
            ),
            3,
        ),
    ]
    subs: list[dict[str, Any]] = []
    # The late event that comes twice makes two sessions, but two carts of one id.
    if random.random() < 0.6 and time_config.get("late") != "new":
        rules.append("@SubSession('Cart') select cart as _pk_ from Click(cart is not null);")
        cart = "@AppendState(name='ids', colname='id', unique=false) select id from Click;\n"
        cart += "@DecorateEvent select session.list('ids') as ids from CartEnd;"
        subs = [{"name": "Cart", "gap": "1s", "begin_marker": "CartBegin", "end_marker": "CartEnd", "rules_text": cart}]
    timestamp = ", at as _timestamp_" if by_events else ""
    return {
        "tenant": "shop",
        "events": {"Click": {"id": "long", "user": "string", "n": "int", "cart": "string", "at": "long"}},
        "controller_text": f"@Session('Visit') select user as _pk_{timestamp} from Click(user is not null);",
        "limits": {"max_line": "2KiB", "sessions": random.choice((0, 0, 15)), "rule_time": "1s"},
        "cache": random.choice(CACHES),
        "time": time_config,
        "profiles": [
            {
                "name": "Visit",
                "type": 1,
                "gap": "5s" if by_events else "1s",
                "begin_marker": "VisitBegin",
                "end_marker": "VisitEnd",
                "rules_text": "\n".join(rules),
                "sub_sessions": subs,
            }
        ],
    }


def change_rules(folder: Path, name: str) -> None:
    """Adds a counter of its own to the rules of the shop, as editors save: beside, and then in its place."""
    file = folder / "shop" / "sessionizer.yaml"
    config = json.loads(file.read_text())
    config["profiles"][0]["rules_text"] += f"\n@UpdateCounter('{name}') select 1 from Click;"
    beside = file.with_name("new.yaml")
    beside.write_text(json.dumps(config))
    os.replace(beside, file)


class Sender:
    """Makes events, sends them, and remembers what it was told.

    `sent` counts by id how often an event may have been taken, `acknowledged` how often it was.
    """

    def __init__(self, random: Random) -> None:
        self.sent: Counter[int] = Counter()
        self.acknowledged: Counter[int] = Counter()
        self.in_carts: set[int] = set()
        self._random = random
        self._next = 1
        self._began_ms = time.time_ns() // 1_000_000 - 600_000
        self._again: tuple[list[int], bytes] | None = None

    def lines(self, most: int) -> tuple[list[int], bytes]:
        """A few events that there were not before, some of which are none."""
        random = self._random
        ids = list(range(self._next, self._next + random.randint(1, most)))
        self._next += len(ids)
        return ids, b"".join(self._line(number) for number in ids)

    def _line(self, number: int) -> bytes:
        random = self._random
        kind = random.random()
        if kind < 0.01:
            return b"id=%d is no event\n" % number
        if kind < 0.02:
            return b'{"id": %d, "user": 7}\n' % number
        if kind < 0.03:
            return b'{"id": %d, "user": "%s"}\n' % (number, b"x" * 3000)
        event: dict[str, Any] = {"id": number, "user": f"user-{random.randrange(25)}", "n": random.randrange(40)}
        event["at"] = self._began_ms + number * 5 - random.choice((0, 0, 0, 1_000, 4_000))
        if random.random() < 0.3:
            event["cart"] = f"cart-{random.randrange(2)}"
            self.in_carts.add(number)
        return json.dumps(event).encode() + b"\n"

    def send(self, service: Killable) -> int | None:
        """Sends a batch, sometimes one again that was not answered; the status of the answer."""
        ids, body = self._again or self.lines(self._random.choice((3, 40, 450)))
        self._again = None
        status = service.post(body)
        if status in (None, 200, 504):
            self.sent.update(ids)
        if status == 200:
            self.acknowledged.update(ids)
        elif self._random.random() < 0.5:
            self._again = ids, body
        assert status in (None, 200, 429, 503, 504)
        return status

    def send_until_it_dies(self, service: Killable) -> None:
        """Sends one batch after the other."""
        while True:
            status = self.send(service)
            if status is None and service.is_over:
                return
            if status not in (None, 200):
                time.sleep(0.01)

    def append(self, file: Path) -> None:
        """Writes events to a file, which is all that is needed for them to be taken."""
        ids, body = self.lines(900)
        with file.open("ab") as opened:
            opened.write(body)
        self.sent.update(ids)
        self.acknowledged.update(ids)


def killed_after(service: Killable, seconds: float, *signals: int) -> threading.Timer:
    """Sends signals to a service later, a moment between any two."""

    def kill() -> None:
        for number in signals:
            os.kill(service.pid, number)
            time.sleep(0.02)
        service.is_over = True

    timer = threading.Timer(seconds, kill)
    timer.start()
    return timer


def end_in_peace(service: Killable, sender: Sender) -> None:
    """Waits until nothing of what it was sent is left to be done, and ends it."""
    service.wait_until_ready()
    # An end that was refused often is tried again after up to a minute.
    wait_for(lambda: service.is_quiet(set(sender.acknowledged)), 90)
    killed_after(service, 0, signal.SIGTERM)
    assert service.end() == 0


def written(state: Path, folder: str) -> list[bytes]:
    """All lines of a folder of files, in the order in which they were written."""
    places = [state, *state.glob("workers/*")]
    files = [file for place in places for file in (place / folder).glob("shop*.ndjson")]
    files.sort(key=lambda each: (each.stem == "shop", each.stem))
    return [line for each in files for line in each.read_bytes().splitlines()]


def judge(sender: Sender, state: Path, receiver: Receiver | None, *, carts: bool) -> None:
    """Compares what was sent with what came of it: nothing but ids, counted."""
    out = written(state, "out")
    markers = [json.loads(line) for line in out if line.startswith(b'{"_type":')]
    letters = Counter(int(found[1]) for line in written(state, "dead-letters") if (found := ID.search(line)))
    ended, in_carts = Counter[int](), Counter[int]()
    for marker in markers:
        if marker["_type"] in ("VisitEnd", "CartEnd"):
            ids = [int(number) for number in marker.get("ids", "").split(",") if number]
            assert len(ids) == marker["_snec"], f"it counts other events than it has had: {marker}"
            (ended if marker["_type"] == "VisitEnd" else in_carts).update(ids)
    for number, most in sender.sent.items():
        found = ended[number] + letters[number]
        least = sender.acknowledged[number]
        assert least <= found <= most, f"event {number}: taken {least} to {most} times, found {found} times"
        if carts and number in sender.in_carts:
            assert in_carts[number] == ended[number], f"event {number} of a cart"
    assert not (ended.keys() | letters.keys()) - sender.sent.keys(), "events that nobody sent"
    ids = Counter(marker["_snmk"] for marker in markers)
    assert [each for each, count in ids.items() if count > 1] == [], "markers that came twice"
    for kind in ("Visit", "Cart"):
        began, over = (
            Counter((marker["_snid"], marker["_snst"]) for marker in markers if marker["_type"] == f"{kind}{what}")
            for what in ("Begin", "End")
        )
        assert began == over, "sessions that began and did not end, or the other way round"
    if receiver is not None:
        assert set(out) == {line for body in receiver.bodies for line in body.splitlines()}
