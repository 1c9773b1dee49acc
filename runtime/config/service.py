"""`service.yaml` to the checked configuration of a service, or to all its problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from epl.diagnostics import InvalidInput, Problems, did_you_mean
from epl.source import Source, Span
from runtime.config.choices import Sync
from runtime.config.codes import NAME_TAKEN
from runtime.config.connectors import (
    KafkaInConfig,
    KafkaOutConfig,
    ParquetConfig,
    ValkeyInConfig,
    ValkeyOutConfig,
    kafka_in,
    kafka_out,
    parquet,
    valkey_in,
    valkey_out,
)
from runtime.config.document import read_document
from runtime.config.files import read_text
from runtime.config.reader import Found, Section, shown, wrong_kind
from runtime.config.secrets import readable, token_in
from runtime.config.service_codes import HALF_TLS, NO_SUCH_TENANT, OPEN_LINES, OPEN_LISTENER
from runtime.config.service_keys import SERVICE_KEYS

_NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens; port 0 is any free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address | None:
        """The address of a text such as `127.0.0.1:9999`, `localhost:0` or `[::1]:9999`; None when it is none."""
        host, _, port = text.rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        elif ":" in host:
            return None
        if not host or not host.isprintable() or not (port.isascii() and port.isdigit()) or len(port) > 5:
            return None
        return cls(host, int(port)) if int(port) <= 65_535 else None

    @property
    def is_loopback(self) -> bool:
        """True where only this machine reaches it."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Listener:
    """Where a server listens, and with which files it speaks TLS."""

    address: Address
    certificate: Path | None = None
    key: Path | None = None
    span: Span = _NOWHERE


@dataclass(frozen=True, slots=True)
class LinesConfig:
    """A listener for plain lines of one tenant."""

    address: Address
    tenant: str
    span: Span


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """The intake. Sizes in bytes."""

    listener: Listener
    max_body: int = SERVICE_KEYS.default_number("ingest.max_body")
    max_waiting: int = SERVICE_KEYS.default_number("ingest.max_waiting")
    body_time_ms: int = SERVICE_KEYS.default_number("ingest.body_time")
    lines: tuple[LinesConfig, ...] = ()


@dataclass(frozen=True, slots=True)
class MonitorConfig:
    """Monitoring; without a token everybody who reaches it may look and act."""

    listener: Listener
    token: str | None = None


@dataclass(frozen=True, slots=True)
class FilesConfig:
    """When a file of lines is finished and the next begun, by bytes and age."""

    rotate_size: int = SERVICE_KEYS.default_number("tenants[].files.rotate_size")
    rotate_age_ms: int = SERVICE_KEYS.default_number("tenants[].files.rotate_age")


@dataclass(frozen=True, slots=True)
class DurabilityConfig:
    """How what was taken outlives the process. `snapshot_size` is in bytes of a tenant's log."""

    sync: Sync = Sync.EACH_SECOND
    snapshot_every_ms: int = SERVICE_KEYS.default_number("durability.snapshot_every")
    snapshot_size: int = SERVICE_KEYS.default_number("durability.snapshot_size")


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """A server that lines are sent to. `batch` counts lines, `max_waiting` bytes."""

    url: str
    token: str | None = None
    batch: int = SERVICE_KEYS.default_number("tenants[].http[].batch")
    timeout_ms: int = SERVICE_KEYS.default_number("tenants[].http[].timeout")
    max_waiting: int = SERVICE_KEYS.default_number("tenants[].http[].max_waiting")


@dataclass(frozen=True, slots=True)
class ServedTenant:
    """What a service knows of one tenant beyond its folder."""

    token: str | None = None
    follow: tuple[Path, ...] = ()
    markers_only: bool = False
    files: FilesConfig | None = field(default_factory=FilesConfig)
    http: tuple[HttpConfig, ...] = ()
    kafka_in: tuple[KafkaInConfig, ...] = ()
    valkey_in: tuple[ValkeyInConfig, ...] = ()
    kafka_out: tuple[KafkaOutConfig, ...] = ()
    valkey_out: tuple[ValkeyOutConfig, ...] = ()
    parquet: ParquetConfig | None = None
    span: Span = _NOWHERE


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceConfig:
    """A service. `source` is the text of its YAML, to which all spans refer; empty where there is none.

    `versions_kept` is how many versions of a tenant's rules are.
    """

    source: Source
    ingest: IngestConfig
    monitor: MonitorConfig
    traces: str | None
    stop_ms: int
    durability: DurabilityConfig
    versions_kept: int
    tenants: dict[str, ServedTenant]

    def tenant(self, name: str) -> ServedTenant:
        """What is configured for a tenant, the defaults where nothing is."""
        return self.tenants.get(name, _DEFAULT_TENANT)

    def listening(self, ingest: Address | None, monitor: Address | None) -> ServiceConfig:
        """The same with other addresses, where they are given."""
        changed = self
        if ingest is not None:
            listener = replace(self.ingest.listener, address=ingest)
            changed = replace(changed, ingest=replace(self.ingest, listener=listener))
        if monitor is not None:
            listener = replace(self.monitor.listener, address=monitor)
            changed = replace(changed, monitor=replace(self.monitor, listener=listener))
        return changed

    def check(self, served: Iterable[str]) -> None:
        """Compares it with the names of the tenants that are served. Raises InvalidInput."""
        problems = Problems(self.source)
        names = set(served)
        spans = [(name, each.span) for name, each in self.tenants.items()]
        for name, span in (*spans, *((lines.tenant, lines.span) for lines in self.ingest.lines)):
            if name not in names:
                problems.add(NO_SUCH_TENANT, span, hint=did_you_mean(name, names), name=shown(name))
        monitor, ingest = self.monitor.listener, self.ingest.listener
        if not monitor.address.is_loopback and self.monitor.token is None:
            problems.add(OPEN_LISTENER, monitor.span, address=monitor.address, who="monitoring")
        for name in sorted(names):
            if not ingest.address.is_loopback and self.tenant(name).token is None:
                problems.add(OPEN_LISTENER, ingest.span, address=ingest.address, who=f"tenant `{shown(name)}`")
        if problems.has_errors:
            raise InvalidInput(problems)


_DEFAULT_TENANT = ServedTenant()


def load_service(path: Path | None) -> ServiceConfig:
    """The configuration in a file, the defaults without one. Raises InvalidInput with every problem."""
    source = Source("service.yaml", "") if path is None else read_text(path)
    problems = Problems(source)
    node = read_document(problems)
    folder = Path() if path is None else path.parent
    config = None if problems.has_errors else _service(Section(problems, node, registry=SERVICE_KEYS), folder)
    if config is None or problems.has_errors:
        raise InvalidInput(dict.fromkeys(problems))
    return config


def _service(root: Section, folder: Path) -> ServiceConfig:
    ingest, monitor, durability = root.section("ingest"), root.section("monitor"), root.section("durability")
    return ServiceConfig(
        source=root.problems.source,
        ingest=IngestConfig(
            _listener(ingest, folder),
            max_body=ingest.number("max_body").value,
            max_waiting=ingest.number("max_waiting").value,
            body_time_ms=ingest.number("body_time").value,
            lines=tuple(_lines(each) for each in ingest.sections("lines")),
        ),
        monitor=MonitorConfig(_listener(monitor, folder), token_in(monitor, folder)),
        traces=_url(root, "traces") or None,
        stop_ms=root.number("stop_time").value,
        durability=DurabilityConfig(
            durability.choice("sync", Sync).value,
            durability.number("snapshot_every").value,
            durability.number("snapshot_size").value,
        ),
        versions_kept=root.section("versions").number("keep").value,
        tenants=_tenants(root, folder),
    )


def _listener(section: Section, folder: Path) -> Listener:
    address = _address(section)
    files = {name: section.text(name) for name in ("certificate", "key")}
    for name, other in (("certificate", "key"), ("key", "certificate")):
        if files[name].given and not files[other].given:
            section.problems.add(HALF_TLS, files[name].span, given=name, missing=other)
        if files[name].given and files[name].valid:
            readable(section, folder, files[name])
    certificate, key = (folder / found.value if found.given else None for found in files.values())
    return Listener(address.value, certificate, key, address.span)


def _address(section: Section) -> Found[Address]:
    found = section.text("listen")
    address = Address.parse(found.value)
    if address is not None:
        return Found(address, found.span, found.given)
    node = section.node("listen")
    if node is not None and found.valid:
        wrong_kind(section.problems, "listen", section.kind("listen").value, node)
    return Found(Address("127.0.0.1", 0), found.span, found.given, valid=False)


def _lines(section: Section) -> LinesConfig:
    address, tenant = _address(section), section.text("tenant")
    if address.valid and not address.value.is_loopback:
        section.problems.add(OPEN_LINES, address.span, address=address.value)
    return LinesConfig(address.value, tenant.value, tenant.span)


def _tenants(root: Section, folder: Path) -> dict[str, ServedTenant]:
    found: dict[str, ServedTenant] = {}
    for section in root.sections("tenants"):
        name = section.text("name")
        if name.value in found and name.valid:
            first = root.problems.source.position(found[name.value].span.start)
            root.problems.add(NAME_TAKEN, name.span, what="tenant", name=shown(name.value), line=first.line)
        http = tuple(_http(each, folder) for each in section.sections("http"))
        to_kafka, to_valkey, to_parquet = kafka_out(section, folder), valkey_out(section, folder), parquet(section)
        files = section.section("files")
        found[name.value] = ServedTenant(
            token=token_in(section, folder),
            follow=tuple(folder / each.text("file").value for each in section.sections("follow")),
            markers_only=section.switch("markers_only").value,
            files=FilesConfig(files.number("rotate_size").value, files.number("rotate_age").value)
            if section.node("files") is not None or not (http or to_kafka or to_valkey or to_parquet)
            else None,
            http=http,
            kafka_in=kafka_in(section, folder),
            valkey_in=valkey_in(section, folder),
            kafka_out=to_kafka,
            valkey_out=to_valkey,
            parquet=to_parquet,
            span=name.span,
        )
    return found


def _http(section: Section, folder: Path) -> HttpConfig:
    return HttpConfig(
        _url(section, "url"),
        token_in(section, folder),
        batch=section.number("batch").value,
        timeout_ms=section.number("timeout").value,
        max_waiting=section.number("max_waiting").value,
    )


def _url(section: Section, key: str) -> str:
    url, node = section.text(key), section.node(key)
    if node is not None and url.valid and not _is_url(url.value):
        wrong_kind(section.problems, key, section.kind(key).value, node)
    return url.value


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
