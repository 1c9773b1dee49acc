"""Lines to a topic of Kafka: idempotent, acknowledged by all replicas in sync, each until it is delivered.

librdkafka sends again what a broker did not take, for ever, in the order of each partition. What a cluster refuses for
good, such as a topic that one may not write, is tried again here, and the tenant waits.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from runtime.config.connectors import KafkaOutConfig
from runtime.rules import TenantRules
from runtime.service.backlog import Backlog
from runtime.service.batches import FIRST_WAIT_S, LONGEST_WAIT_S
from runtime.service.kafka_client import PROBE_S, made, probe, reason, settings
from runtime.service.message_keys import KeyOf
from runtime.service.trouble import Trouble

_log = logging.getLogger("sojourn.service.kafka")

_LOOK_S = 0.2


class KafkaDelivery:
    """A `Delivery`; `wake` is called when one that was stuck is free again. Raises ValueError for an unknown option.

    Messages are handed to librdkafka in the loop; what became of them is heard in a thread, and told to the loop.
    """

    def __init__(self, config: KafkaOutConfig, key_of: KeyOf, wake: Callable[[], None]) -> None:
        self.name = f"kafka:{config.topic}"
        self._config = config
        self._key_of = key_of
        self._wake = wake
        self._trouble = Trouble(_log, "sink", self.name)
        self.health = self._trouble.health
        self._backlog = Backlog()
        self._unsent: deque[tuple[int, bytes]] = deque()
        self._delivered: set[int] = set()
        """Numbers that were delivered before one that came first."""
        self._in_flight = 0
        self._has_failed = False
        """Nothing is handed over until all that was has come back; then it begins again."""
        self._is_fatal = False
        self._wait_s = FIRST_WAIT_S
        self._reports: list[tuple[int, KafkaError | None]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = threading.Event()
        self._producer = self._made()

    def _made(self) -> Producer:
        own = {"enable.idempotence": True, "acks": "all", "message.timeout.ms": 0}
        producer: Producer = made(
            lambda: Producer(settings(self._config.brokers, self._config.options, own, self._trouble, _log))
        )
        return producer

    @property
    def is_ready(self) -> bool:
        """False while the cluster takes nothing, or less than comes."""
        return self.health.problem is None and self._backlog.size < self._config.max_waiting

    @property
    def waiting_bytes(self) -> int:
        """What was not delivered yet."""
        return self._backlog.size

    @property
    def taken(self) -> int:
        """The number of the first line that was not delivered."""
        return self._backlog.taken

    def resume(self, taken: int) -> int:
        """A topic does not say what it has: it is sent what may be missing."""
        self._backlog.next_number = taken
        return taken

    def waiting_lines(self) -> list[bytes]:
        """What was not delivered yet."""
        return self._backlog.waiting()

    def go_by(self, rules: TenantRules) -> None:
        """Keys are where the rules have them."""
        self._key_of = KeyOf(rules, self._config.key)

    def write(self, lines: list[bytes]) -> None:
        """Hands lines over, or queues them."""
        self._unsent += enumerate(lines, self._backlog.next_number)
        self._backlog.add(lines)
        self.health.lines += len(lines)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            threading.Thread(target=self._listen, name=f"sojourn-{self.name}", daemon=True).start()
        self._hand_over()

    def tick(self) -> None:
        """Nothing: the thread hears what happens."""

    async def drain(self, seconds: float) -> None:
        """Waits until everything was delivered, no longer than this."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._backlog.lines and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Lets go of what is not delivered."""
        self._is_closed.set()

    # ---- the loop

    def _hand_over(self) -> None:
        while self._unsent and not self._has_failed:
            number, line = self._unsent[0]
            if number not in self._delivered:
                try:
                    on_delivery = partial(self._on_delivery, number)
                    self._producer.produce(self._config.topic, line, self._key_of(line), on_delivery=on_delivery)
                except BufferError:
                    # librdkafka's queue is full: it goes on when something was delivered.
                    return
                except KafkaException as error:
                    self._is_fatal = error.args[0].fatal()
                    self._failed(f"line {number:,} of {len(line):,} bytes is not taken: {reason(error)}")
                    return
                self._in_flight += 1
            self._unsent.popleft()

    def _failed(self, problem: str) -> None:
        self._trouble.failed(problem)
        self._has_failed = True
        if not self._in_flight:
            self._begin_again_later()

    def _begin_again_later(self) -> None:
        assert self._loop is not None
        self._loop.call_later(self._wait_s, self._begin_again)
        self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)

    def _begin_again(self) -> None:
        if self._is_closed.is_set():
            return
        self._has_failed = False
        if self._is_fatal:
            # It takes nothing any more.
            self._producer, self._is_fatal = self._made(), False
        self._unsent = deque(enumerate(self._backlog.lines, self._backlog.taken))
        self._hand_over()

    def _on_reports(self, reports: list[tuple[int, KafkaError | None]]) -> None:
        was_ready = self.is_ready
        failed = None
        for number, error in reports:
            if error is None:
                self._delivered.add(number)
            else:
                failed = error
        self._in_flight -= len(reports)
        delivered = 0
        while self._backlog.taken + delivered in self._delivered:
            self._delivered.remove(self._backlog.taken + delivered)
            delivered += 1
        self._backlog.drop(delivered)
        if failed is not None:
            self._failed(failed.str())
        elif self._has_failed:
            if not self._in_flight:
                self._begin_again_later()
        else:
            self._wait_s = FIRST_WAIT_S
            self._trouble.went_well()
            self._hand_over()
        if not was_ready and self.is_ready:
            self._wake()

    # ---- the thread

    def _listen(self) -> None:
        next_look_s = 0.0
        while not self._is_closed.is_set():
            producer = self._producer
            producer.poll(_LOOK_S)
            if self._reports:
                reports, self._reports = self._reports, []
                assert self._loop is not None
                try:
                    self._loop.call_soon_threadsafe(self._on_reports, reports)
                except RuntimeError:
                    # The loop is closed: the service has stopped meanwhile.
                    break
            if self.health.problem is not None and not self._has_failed and time.monotonic() >= next_look_s:
                probe(producer, self._config.topic, self._trouble)
                next_look_s = time.monotonic() + PROBE_S
        self._producer.purge()

    def _on_delivery(self, number: int, error: KafkaError | None, message: Message) -> None:
        self._reports.append((number, error))
