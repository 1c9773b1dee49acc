"""The keys of `service.yaml` that connect a tenant to Kafka, to streams of Valkey or Redis, and to Parquet."""

from __future__ import annotations

from runtime.config.choices import Start
from runtime.config.keys import Key, Kind

_TENANT = "tenants[]"
_KAFKA_IN = f"{_TENANT}.kafka_in[]"
_KAFKA_OUT = f"{_TENANT}.kafka_out[]"
_VALKEY_IN = f"{_TENANT}.valkey_in[]"
_VALKEY_OUT = f"{_TENANT}.valkey_out[]"
_PARQUET = f"{_TENANT}.parquet"


def _kafka(section: str) -> tuple[Key, ...]:
    return (
        Key(
            f"{section}.brokers",
            Kind.NAME,
            None,
            "Where the cluster is found: addresses and ports, with commas between them.",
            required=True,
        ),
        Key(f"{section}.topic", Kind.TOPIC, None, "The topic.", required=True),
        Key(
            f"{section}.options",
            Kind.OPTIONS,
            "{}",
            "Options of librdkafka by their names, such as `security.protocol: SASL_SSL`.",
        ),
        Key(
            f"{section}.options_file",
            Kind.FILE,
            None,
            "A file with more of them, `NAME=VALUE` a line: for those that are secret, such as `sasl.password`.",
        ),
    )


def _valkey(section: str) -> tuple[Key, ...]:
    return (
        Key(f"{section}.url", Kind.SERVER, None, "The server; `valkeys:` for TLS.", required=True),
        Key(f"{section}.password_file", Kind.FILE, None, "The file with the password; the user's name is in `url`."),
        Key(f"{section}.stream", Kind.NAME, None, "The key of the stream.", required=True),
        Key(f"{section}.field", Kind.NAME, "event", "The field of an entry that holds the JSON."),
    )


def _most_waiting(section: str) -> Key:
    return Key(
        f"{section}.max_waiting",
        Kind.SIZE,
        "8MiB",
        "The bytes of lines that may wait to be sent; beyond it no more of the tenant's events are taken in.",
        minimum=1,
    )


_START = "Where to begin in what the group has never read: with the first that is kept, or with what comes from now on."

CONNECTOR_KEYS: tuple[Key, ...] = (
    Key(f"{_TENANT}.kafka_in", Kind.SECTIONS, "[]", "Topics of Kafka whose messages are events."),
    *_kafka(_KAFKA_IN),
    Key(f"{_KAFKA_IN}.group", Kind.NAME, None, "The consumer group, which no other tenant shares.", required=True),
    Key(f"{_KAFKA_IN}.start", Kind.CHOICE, "earliest", _START, choices=tuple(Start)),
    Key(
        f"{_KAFKA_IN}.commit_gap",
        Kind.DURATION,
        "0s",
        "How far, as a duration by the messages' times, committed offsets stay behind what was taken: a machine that "
        "lost its state reads so much again, and has its sessions back.",
    ),
    Key(f"{_TENANT}.valkey_in", Kind.SECTIONS, "[]", "Streams of Valkey or Redis whose entries are events."),
    *_valkey(_VALKEY_IN),
    Key(f"{_VALKEY_IN}.group", Kind.NAME, None, "The consumer group, which no other tenant shares.", required=True),
    Key(
        f"{_VALKEY_IN}.consumer",
        Kind.NAME,
        None,
        "The name in the group, which must stay the same from run to run; without it the machine's.",
    ),
    Key(f"{_VALKEY_IN}.start", Kind.CHOICE, "earliest", _START, choices=tuple(Start)),
    Key(
        f"{_VALKEY_IN}.claim_after",
        Kind.DURATION,
        "1m",
        "After how long, as a duration, an entry that another consumer took and did not acknowledge is taken over.",
        minimum=1,
    ),
    Key(f"{_TENANT}.kafka_out", Kind.SECTIONS, "[]", "What leaves is sent to these topics of Kafka."),
    *_kafka(_KAFKA_OUT),
    Key(
        f"{_KAFKA_OUT}.key",
        Kind.NAME,
        None,
        "The field of a line whose value is the message's key; without it markers have their session's id, and events "
        "no key.",
    ),
    _most_waiting(_KAFKA_OUT),
    Key(f"{_TENANT}.valkey_out", Kind.SECTIONS, "[]", "What leaves is added to these streams of Valkey or Redis."),
    *_valkey(_VALKEY_OUT),
    Key(
        f"{_VALKEY_OUT}.max_length",
        Kind.NUMBER,
        "0",
        "About how many entries the stream keeps, the latest; 0 keeps all.",
    ),
    Key(f"{_VALKEY_OUT}.batch", Kind.NUMBER, "500", "The largest number of entries added at once.", minimum=1),
    _most_waiting(_VALKEY_OUT),
    Key(
        f"{_TENANT}.parquet",
        Kind.SECTION,
        "{}",
        "Where it stands, ended sessions go to Parquet files below the state's folder: a table a type of end marker, "
        "a folder a day.",
    ),
    Key(
        f"{_PARQUET}.rows",
        Kind.NUMBER,
        "100000",
        "The number of lines after which files are written.",
        minimum=1,
    ),
    Key(
        f"{_PARQUET}.age",
        Kind.DURATION,
        "5m",
        "How long, as a duration, the first of them waits for more.",
        minimum=1,
    ),
    Key(f"{_PARQUET}.events", Kind.SWITCH, "false", "Whether events and begin markers are written, too."),
)
"""All of them, in the order of the reference page."""
