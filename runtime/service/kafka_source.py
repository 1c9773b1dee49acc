"""Events from a topic of Kafka, as one member of a consumer group.

A partition goes on from our own position, which is written together with what its messages did; the group's committed
offset follows, and is for machines that know nothing yet. librdkafka is asked in a thread of its own, and at least
every few hundred milliseconds also while nothing can be taken: a member that does not ask is taken for dead.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from runtime.config import TimeDomain, TimePolicy
from runtime.config.connectors import KafkaInConfig
from runtime.service.commits import Commits
from runtime.service.host import SLICE
from runtime.service.intake import NotTaken
from runtime.service.kafka_client import PROBE_S, made, probe, reason, settings
from runtime.service.messages import MessageReader, Run
from runtime.service.taker import Fed, Taker
from runtime.service.threads import in_thread
from runtime.service.trouble import Trouble

_log = logging.getLogger("sojourn.service.kafka")

_LOOK_S = 0.2
_PATIENCE_S = 0.5
"""How long messages may take to be taken before no more are fetched."""
_AGAIN_S = 0.5
_REVOKED_S = 10.0
"""How long a partition that another member is to have waits for what was fetched of it."""


class KafkaSource:
    """A `Source`. Raises ValueError when librdkafka does not know an option."""

    def __init__(self, host: Taker, served: Fed, config: KafkaInConfig) -> None:
        self.name = f"kafka:{config.topic}"
        self.lags: dict[str, int] = {}
        self._host = host
        self._served = served
        self._config = config
        self._trouble = Trouble(_log, "source", self.name)
        self.health = self._trouble.health
        self._reader = MessageReader(served.name, config.topic, served.rules.config.limits.max_line_bytes)
        self._partitions: dict[int, Commits] = {}
        self._fetched: list[Message] = []
        """What was fetched and not handed over yet."""
        self._at_work: Future[None] | None = None
        self._is_paused = False
        self._is_stopping = threading.Event()
        self._next_look_s = 0.0
        self._consumer = self._made()

    def _made(self) -> Consumer:
        own = {
            "group.id": self._config.group,
            "auto.offset.reset": self._config.start.value,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            # The fewest partitions move when members come and go.
            "partition.assignment.strategy": "cooperative-sticky",
            "on_commit": self._on_commit,
        }
        consumer: Consumer = made(
            lambda: Consumer(settings(self._config.brokers, self._config.options, own, self._trouble, _log))
        )
        return consumer

    def stop(self) -> None:
        """Fetches no more."""
        self._is_stopping.set()

    async def run(self) -> None:
        """Fetches until it is told to stop."""
        loop = asyncio.get_running_loop()
        await in_thread(f"sojourn-{self.name}", lambda: self._fetch_all(loop))

    # ---- the thread

    def _fetch_all(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            try:
                self._fetch(loop)
            except KafkaException as error:
                # This consumer is of no use any more.
                self._trouble.failed(reason(error))
            finally:
                self._consumer.close()
            if self._is_stopping.wait(_AGAIN_S):
                return
            self._consumer = self._made()

    def _fetch(self, loop: asyncio.AbstractEventLoop) -> None:
        consumer = self._consumer
        self._fetched.clear()
        consumer.subscribe(
            [self._config.topic], on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )
        probe(consumer, self._config.topic, self._trouble)
        while not self._is_stopping.is_set():
            # While those before are taken.
            if not self._fetched:
                self._keep([consumer.poll(_LOOK_S)])
            if len(self._fetched) == 1:
                self._keep(consumer.consume(SLICE - 1, 0))
            self._wait()
            if self._fetched:
                messages, self._fetched = self._fetched, []
                self._at_work = asyncio.run_coroutine_threadsafe(self._take(messages), loop)
            self._look()
        self._wait()

    def _keep(self, messages: list[Any]) -> None:
        """Keeps the messages among what was fetched; errors are told."""
        for message in messages:
            error = None if message is None else message.error()
            if error is not None:
                if error.fatal():
                    raise KafkaException(error)
                self._trouble.failed(error.str())
            elif message is not None:
                self._fetched.append(message)

    def _wait(self) -> None:
        """Until what was handed over is taken; when that takes long, nothing more is fetched meanwhile."""
        at_work = self._at_work
        if at_work is None:
            return
        try:
            at_work.result(_PATIENCE_S)
        except TimeoutError:
            self._is_paused = True
            self._consumer.pause(self._consumer.assignment())
            while not at_work.done():
                self._keep([self._consumer.poll(_LOOK_S)])
                self._look()
            self._is_paused = False
            self._consumer.resume(self._consumer.assignment())
            at_work.result()
        self._at_work = None

    def _look(self) -> None:
        """Once a second: commits what is due, and sees how things are."""
        if time.monotonic() < self._next_look_s:
            return
        self._next_look_s = time.monotonic() + PROBE_S
        due = self._due(self._partitions)
        if due:
            try:
                self._consumer.commit(offsets=due, asynchronous=True)
            except KafkaException as error:
                self._not_committed(reason(error))
        self._see_lags()
        if self.health.problem is not None:
            probe(self._consumer, self._config.topic, self._trouble)

    def _see_lags(self) -> None:
        found = {}
        for number, commits in list(self._partitions.items()):
            low, high = self._consumer.get_watermark_offsets(self._placed(number), cached=True)
            if high >= 0:
                place = commits.next_offset
                if place is None:
                    place = max(low, 0) if self._config.start == "earliest" else high
                found[str(number)] = max(high - place, 0)
        self.lags = found

    def _placed(self, partition: int, offset: int | None = None) -> TopicPartition:
        if offset is None:
            return TopicPartition(self._config.topic, partition)
        return TopicPartition(self._config.topic, partition, offset)

    # ---- commits

    def _due(self, partitions: dict[int, Commits]) -> list[TopicPartition]:
        found = ((number, commits.due) for number, commits in list(partitions.items()))
        return [self._placed(number, offset) for number, offset in found if offset is not None]

    def _on_commit(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        for each in partitions:
            failed = error or each.error
            if failed is not None:
                self._not_committed(failed.str())
            elif each.partition in self._partitions:
                self._partitions[each.partition].committed = each.offset

    def _not_committed(self, problem: str) -> None:
        """No reason to stop: our own positions count, and the next commit says the same."""
        self.health.failures += 1
        incident = {"source": self.name, "problem": problem}
        _log.warning("offsets are not committed", extra={"incident": incident})

    # ---- partitions come and go

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        try:
            committed = {each.partition: each.offset for each in consumer.committed(partitions, timeout=5)}
        except KafkaException as error:
            self._trouble.failed(reason(error))
            committed = {}
        for each in partitions:
            ours = self._served.positions.get(self._reader.source_of(each.partition))
            theirs = committed.get(each.partition, -1)
            commits = self._partitions[each.partition] = Commits(self._config.commit_gap_ms)
            if isinstance(ours, int) and ours >= theirs:
                each.offset = ours
                commits.next_offset = ours
            elif theirs >= 0:
                # Another member had it meanwhile, or our state was lost.
                each.offset = commits.next_offset = theirs
            commits.committed = theirs if theirs >= 0 else None
        consumer.incremental_assign(partitions)
        if self._is_paused:
            consumer.pause(partitions)
        self._told("partitions are ours", partitions)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """What was fetched of them is finished, and they are committed."""
        at_work = self._at_work
        if at_work is not None:
            try:
                at_work.result(_REVOKED_S)
            except TimeoutError:
                _log.warning("a partition goes before all of it was taken", extra={"incident": {"source": self.name}})
        due = self._due(self._let_go(partitions))
        if due:
            try:
                consumer.commit(offsets=due, asynchronous=False)
            except KafkaException as error:
                # Whoever has them next takes again what came since the last commit.
                self._not_committed(reason(error))
        consumer.incremental_unassign(partitions)
        self._told("partitions are another's", partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Another member has them already: there is nothing to commit."""
        self._let_go(partitions)
        consumer.incremental_unassign(partitions)
        self._told("partitions were lost", partitions)

    def _let_go(self, partitions: list[TopicPartition]) -> dict[int, Commits]:
        """Forgets partitions, and what was fetched of them: whoever has them next fetches that again."""
        numbers = {each.partition for each in partitions}
        self._fetched = [message for message in self._fetched if message.partition() not in numbers]
        return {number: self._partitions.pop(number) for number in numbers if number in self._partitions}

    def _told(self, what: str, partitions: list[TopicPartition]) -> None:
        numbers = sorted(each.partition for each in partitions)
        _log.info(what, extra={"incident": {"source": self.name, "partitions": numbers}})

    # ---- the loop

    @property
    def _has_clocks(self) -> bool:
        """False where the wall clock counts, or keys make the partitions: then there is one clock for all."""
        time_config = self._served.rules.config.time
        return time_config.domain is TimeDomain.EVENT and time_config.policy is TimePolicy.GAP

    async def _take(self, messages: list[Message]) -> None:
        self._reader.limit = self._served.rules.config.limits.max_line_bytes
        for run in self._reader.runs(messages, self._host.clock_ms()):
            if not await self._take_run(run):
                return
            commits = self._partitions.get(run.partition)
            if commits is not None:
                commits.taken(run.next_offset, run.time_ms)
        self._trouble.went_well()

    async def _take_run(self, run: Run) -> bool:
        """False when it was not taken, since it is time to stop."""
        size = sum(map(len, run.lines))
        while True:
            try:
                await self._host.offer(
                    self._served,
                    run.lines,
                    size,
                    self._reader.source_of(run.partition),
                    first_line=run.first_offset,
                    letters=run.letters,
                    position=run.next_offset,
                    partition=run.partition if self._has_clocks else 0,
                )
            except NotTaken:
                if self._is_stopping.is_set():
                    return False
                await asyncio.sleep(_AGAIN_S)
            else:
                self.health.lines += run.messages
                return True
