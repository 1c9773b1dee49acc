"""What a service knows of Kafka, of streams of Valkey or Redis, and of Parquet, from `service.yaml`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from runtime.config.choices import Start
from runtime.config.codes import NAME_TAKEN
from runtime.config.reader import Section, shown, wrong_kind
from runtime.config.secrets import password_in, readable
from runtime.config.service_codes import BAD_OPTION_LINE, OWN_OPTION
from runtime.config.service_keys import SERVICE_KEYS

_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_SCHEMES = ("valkey", "valkeys", "redis", "rediss")
_OWN_OPTIONS = frozenset(
    (
        "bootstrap.servers",
        "metadata.broker.list",
        "group.id",
        "auto.offset.reset",
        "enable.auto.commit",
        "auto.commit.enable",
        "enable.auto.offset.store",
        "enable.partition.eof",
        "partition.assignment.strategy",
        "group.protocol",
        "enable.idempotence",
        "acks",
        "request.required.acks",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "transactional.id",
    )
)
"""What the promises of source and sink rest on."""


def _number(path: str) -> int:
    return SERVICE_KEYS.default_number(f"tenants[].{path}")


@dataclass(frozen=True, slots=True)
class KafkaInConfig:
    """A topic whose messages are events."""

    brokers: str
    topic: str
    group: str
    start: Start = Start.EARLIEST
    commit_gap_ms: int = _number("kafka_in[].commit_gap")
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KafkaOutConfig:
    """A topic that lines are sent to. `key` names the field that holds a message's key."""

    brokers: str
    topic: str
    key: str | None = None
    max_waiting: int = _number("kafka_out[].max_waiting")
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ValkeyInConfig:
    """A stream whose entries are events; `consumer` None is the machine's name."""

    url: str
    stream: str
    group: str
    password: str | None = None
    consumer: str | None = None
    field: str = SERVICE_KEYS.default_text("tenants[].valkey_in[].field")
    start: Start = Start.EARLIEST
    claim_after_ms: int = _number("valkey_in[].claim_after")


@dataclass(frozen=True, slots=True)
class ValkeyOutConfig:
    """A stream that lines are added to. `max_length` 0 keeps all entries, `max_waiting` is in bytes."""

    url: str
    stream: str
    password: str | None = None
    field: str = SERVICE_KEYS.default_text("tenants[].valkey_out[].field")
    max_length: int = _number("valkey_out[].max_length")
    batch: int = _number("valkey_out[].batch")
    max_waiting: int = _number("valkey_out[].max_waiting")


@dataclass(frozen=True, slots=True)
class ParquetConfig:
    """When files are written, by lines and age, and whether events are in them."""

    rows: int = _number("parquet.rows")
    age_ms: int = _number("parquet.age")
    events: bool = False


def kafka_in(tenant: Section, folder: Path) -> tuple[KafkaInConfig, ...]:
    """The topics that a tenant reads, each once."""
    sections = tenant.sections("kafka_in")
    _report_repeated(sections, "topic")
    return tuple(
        KafkaInConfig(
            each.text("brokers").value,
            _topic(each),
            each.text("group").value,
            start=each.choice("start", Start).value,
            commit_gap_ms=each.number("commit_gap").value,
            options=_options(each, folder),
        )
        for each in sections
    )


def kafka_out(tenant: Section, folder: Path) -> tuple[KafkaOutConfig, ...]:
    """The topics that a tenant's lines go to."""
    return tuple(
        KafkaOutConfig(
            each.text("brokers").value,
            _topic(each),
            each.text("key").value or None,
            max_waiting=each.number("max_waiting").value,
            options=_options(each, folder),
        )
        for each in tenant.sections("kafka_out")
    )


def valkey_in(tenant: Section, folder: Path) -> tuple[ValkeyInConfig, ...]:
    """The streams that a tenant reads, each once."""
    sections = tenant.sections("valkey_in")
    _report_repeated(sections, "stream")
    return tuple(
        ValkeyInConfig(
            _server(each),
            each.text("stream").value,
            each.text("group").value,
            password_in(each, folder),
            each.text("consumer").value or None,
            each.text("field").value,
            each.choice("start", Start).value,
            each.number("claim_after").value,
        )
        for each in sections
    )


def valkey_out(tenant: Section, folder: Path) -> tuple[ValkeyOutConfig, ...]:
    """The streams that a tenant's lines go to."""
    return tuple(
        ValkeyOutConfig(
            _server(each),
            each.text("stream").value,
            password_in(each, folder),
            each.text("field").value,
            each.number("max_length").value,
            each.number("batch").value,
            each.number("max_waiting").value,
        )
        for each in tenant.sections("valkey_out")
    )


def parquet(tenant: Section) -> ParquetConfig | None:
    """How Parquet files are written; None where nothing is said of them."""
    section = tenant.section("parquet")
    read = ParquetConfig(section.number("rows").value, section.number("age").value, section.switch("events").value)
    return None if tenant.node("parquet") is None else read


def _report_repeated(sections: list[Section], name: str) -> None:
    """What is read is known by its name, also where it is kept how far it was read."""
    lines: dict[str, int] = {}
    for section in sections:
        found = section.text(name)
        if found.given and found.valid:
            if found.value in lines:
                line = lines[found.value]
                section.problems.add(NAME_TAKEN, found.span, what=name, name=shown(found.value), line=line)
            lines.setdefault(found.value, section.problems.source.position(found.span.start).line)


def _options(section: Section, folder: Path) -> dict[str, str]:
    """Options of librdkafka, those of the file last; reported where they are not the user's to choose."""
    found = {}
    for name, value in section.options("options").items():
        if name in _OWN_OPTIONS:
            section.problems.add(OWN_OPTION, value.span, name=shown(name))
        found[name] = value.value
    file = section.text("options_file")
    source = readable(section, folder, file) if file.given and file.valid else None
    for number, line in enumerate(source.text.splitlines() if source is not None else (), 1):
        name, equals, text = (part.strip() for part in line.partition("="))
        if not name or name.startswith("#"):
            continue
        if not equals:
            section.problems.add(BAD_OPTION_LINE, file.span, file=file.value, line=number)
        elif name in _OWN_OPTIONS:
            section.problems.add(OWN_OPTION, file.span, name=shown(name))
        found[name] = text
    return found


def _topic(section: Section) -> str:
    topic, node = section.text("topic"), section.node("topic")
    # A name that begins with `^` would be a pattern.
    if node is not None and topic.valid and not _TOPIC.fullmatch(topic.value):
        wrong_kind(section.problems, "topic", section.kind("topic").value, node)
    return topic.value


def _server(section: Section) -> str:
    url, node = section.text("url"), section.node("url")
    if node is not None and url.valid and not _is_server(url.value):
        wrong_kind(section.problems, "url", section.kind("url").value, node)
    return url.value


def _is_server(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
