"""A cluster of Kafka for tests: librdkafka's own mock brokers, in this process, reached through real sockets.

It keeps what is produced, serves consumer groups, and can be taken down. `confluent_kafka` gives no access to it, so it
is called where it is: in the library that comes with the package.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import confluent_kafka
from confluent_kafka import Consumer, Message, Producer, TopicPartition

from .running import wait_for

_PRODUCER = 0
_FAST = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "200", "max.poll.interval.ms": "30000"}
OPTIONS = (
    "{session.timeout.ms: 1500, heartbeat.interval.ms: 200, socket.timeout.ms: 2000, reconnect.backoff.max.ms: 200}"
)


def _library() -> ctypes.CDLL:
    folder = Path(confluent_kafka.__file__).parent.parent / "confluent_kafka.libs"
    library = ctypes.CDLL(str(next(folder.glob("librdkafka*"))))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library


class Cluster:
    """One broker with the topics that are made."""

    def __init__(self) -> None:
        self._library = library = _library()
        error = ctypes.create_string_buffer(512)
        conf = library.rd_kafka_conf_new()
        self._handle = ctypes.c_void_p(
            library.rd_kafka_new(_PRODUCER, ctypes.c_void_p(conf), error, ctypes.c_size_t(len(error)))
        )
        self._mock = ctypes.c_void_p(library.rd_kafka_mock_cluster_new(self._handle, 1))
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._mock, 100)
        self.brokers = library.rd_kafka_mock_cluster_bootstraps(self._mock).decode()
        self._producer = Producer({"bootstrap.servers": self.brokers})

    def make(self, topic: str, partitions: int = 1) -> None:
        """Makes a topic."""
        self._library.rd_kafka_mock_topic_create(self._mock, topic.encode(), partitions, 1)

    def refuse(self, topic: str, error: int) -> None:
        """What is asked of a topic is answered with this error; 0 ends it."""
        self._library.rd_kafka_mock_topic_set_error(self._mock, topic.encode(), error)

    def down(self) -> None:
        """Nobody reaches the broker."""
        self._library.rd_kafka_mock_broker_set_down(self._mock, 1)

    def up(self) -> None:
        """The broker is back, with all that it had."""
        self._library.rd_kafka_mock_broker_set_up(self._mock, 1)

    def send(self, topic: str, *values: bytes | None, partition: int = 0, time_ms: int = 0) -> None:
        """Produces messages."""
        for value in values:
            self._producer.produce(topic, value, partition=partition, timestamp=time_ms)
        assert self._producer.flush(20) == 0

    def messages(self, topic: str, partitions: int = 1) -> list[Message]:
        """All that a topic has, partition by partition."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "a test", "enable.auto.commit": False})
        found: list[Message] = []
        for partition in range(partitions):
            _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            consumer.assign([TopicPartition(topic, partition, 0)])
            count = len(found) + end
            while len(found) < count:
                found += [message for message in consumer.consume(count, 0.5) if message.error() is None]
        consumer.close()
        return found

    def committed(self, topic: str, group: str, partition: int = 0) -> int:
        """The offset that a group has committed; negative for none."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": group})
        (found,) = consumer.committed([TopicPartition(topic, partition)], timeout=10)
        consumer.close()
        return found.offset

    def wait_for_commit(self, topic: str, group: str, offset: int, partition: int = 0) -> None:
        """Until a group has committed an offset."""
        wait_for(lambda: self.committed(topic, group, partition) == offset)

    def member(self, topic: str, group: str) -> Any:
        """Another consumer of a group, with the service's way of sharing."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.brokers,
                "group.id": group,
                "partition.assignment.strategy": "cooperative-sticky",
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                **_FAST,
            }
        )
        consumer.subscribe([topic])
        return consumer

    def close(self) -> None:
        """Ends it."""
        self._producer.flush(1)
        del self._producer
        self._library.rd_kafka_mock_cluster_destroy(self._mock)
        self._library.rd_kafka_destroy(self._handle)
