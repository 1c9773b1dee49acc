"""Every key of `service.yaml`, the configuration of `sojourn serve`: its kind, default and meaning.

A tenant's folder says what its sessions are, whoever runs them; this says where one service listens, who may talk to
it, and where what leaves goes.
"""

from __future__ import annotations

from runtime.config.choices import Sync
from runtime.config.connector_keys import CONNECTOR_KEYS
from runtime.config.keys import Key, Kind, Registry

_TENANT = "tenants[]"


def _listener(section: str, default: str, what: str) -> tuple[Key, ...]:
    return (
        Key(
            f"{section}.listen",
            Kind.ADDRESS,
            default,
            f"Where {what} listens; beyond this machine only where a token is asked for.",
        ),
        Key(
            f"{section}.certificate",
            Kind.FILE,
            None,
            "The file with the certificate (PEM) for TLS, and what leads from it to a known authority.",
        ),
        Key(f"{section}.key", Kind.FILE, None, "The file with the certificate's key."),
    )


SERVICE_KEY_LIST: tuple[Key, ...] = (
    Key("ingest", Kind.SECTION, "{}", "Where events come in."),
    *_listener("ingest", "127.0.0.1:15590", "the intake of events"),
    Key(
        "ingest.max_body",
        Kind.SIZE,
        "16MiB",
        "The largest body of a request in bytes, as sent and unpacked; a larger one is answered with 413.",
        minimum=1,
    ),
    Key(
        "ingest.max_waiting",
        Kind.SIZE,
        "64MiB",
        "The bytes of events that may wait for their turn, of each tenant; beyond it requests are answered with 429.",
        minimum=1,
    ),
    Key(
        "ingest.body_time",
        Kind.DURATION,
        "30s",
        "How long, as a duration, a request may take to arrive before it is given up.",
        minimum=1,
    ),
    Key("ingest.lines", Kind.SECTIONS, "[]", "Listeners for plain lines of JSON over TCP."),
    Key(
        "ingest.lines[].listen",
        Kind.ADDRESS,
        None,
        "Where it listens; on this machine only, since plain lines carry no token.",
        required=True,
    ),
    Key("ingest.lines[].tenant", Kind.NAME, None, "The tenant whose events the lines are.", required=True),
    Key("monitor", Kind.SECTION, "{}", "The page, the API, the metrics and the probes."),
    *_listener("monitor", "127.0.0.1:9999", "monitoring"),
    Key(
        "monitor.token_file",
        Kind.FILE,
        None,
        "The file with the token for all of it but the probes; without one everybody on this machine may look and act.",
    ),
    Key(
        "traces",
        Kind.URL,
        None,
        "Where spans go over OTLP/HTTP, without `/v1/traces`; else where `OTEL_EXPORTER_OTLP_ENDPOINT` says.",
    ),
    Key(
        "stop_time",
        Kind.DURATION,
        "20s",
        "How long, as a duration, a stop may take to finish what was taken, to deliver what left and to keep the rest.",
        minimum=1,
    ),
    Key("durability", Kind.SECTION, "{}", "How what was taken outlives the process."),
    Key(
        "durability.sync",
        Kind.CHOICE,
        "each_second",
        "When what was taken is on the disk: before its answer, or within a second. A process that is killed loses "
        "nothing either way; a power cut loses what is not on the disk.",
        choices=tuple(Sync),
    ),
    Key(
        "durability.snapshot_every",
        Kind.DURATION,
        "1m",
        "How often, as a duration, a snapshot is written; a start does again what came after it.",
        minimum=1,
    ),
    Key(
        "durability.snapshot_size",
        Kind.SIZE,
        "256MiB",
        "The bytes of a tenant's log after which a snapshot is written before its time.",
        minimum=1,
    ),
    Key("versions", Kind.SECTION, "{}", "What is kept of rules that are reloaded."),
    Key(
        "versions.keep",
        Kind.NUMBER,
        "10",
        "How many versions of a tenant's rules are kept below the state's folder, to go back to.",
        minimum=1,
    ),
    Key("tenants", Kind.SECTIONS, "[]", "What is special about single tenants; the others have the defaults."),
    Key(f"{_TENANT}.name", Kind.NAME, None, "The tenant's name, as its `sessionizer.yaml` gives it.", required=True),
    Key(f"{_TENANT}.token_file", Kind.FILE, None, "The file with the token that whoever sends its events has to show."),
    Key(f"{_TENANT}.markers_only", Kind.SWITCH, "false", "Whether only begin and end markers leave, not the events."),
    Key(f"{_TENANT}.follow", Kind.SECTIONS, "[]", "Files of lines that are followed, as they grow and are rotated."),
    Key(f"{_TENANT}.follow[].file", Kind.FILE, None, "The file; it need not be there yet.", required=True),
    Key(
        f"{_TENANT}.files",
        Kind.SECTION,
        "{}",
        "What leaves goes to files of lines below the state's folder; so it does as well when it goes nowhere else.",
    ),
    Key(
        f"{_TENANT}.files.rotate_size",
        Kind.SIZE,
        "64MiB",
        "The bytes of a file after which the next one is begun.",
        minimum=1,
    ),
    Key(
        f"{_TENANT}.files.rotate_age",
        Kind.DURATION,
        "1h",
        "The age, as a duration, of a file after which the next one is begun.",
        minimum=1,
    ),
    Key(f"{_TENANT}.http", Kind.SECTIONS, "[]", "What leaves is sent to these servers as well, by POST, as lines."),
    Key(f"{_TENANT}.http[].url", Kind.URL, None, "Where it is sent.", required=True),
    Key(f"{_TENANT}.http[].token_file", Kind.FILE, None, "The file with the token to show there."),
    Key(f"{_TENANT}.http[].batch", Kind.NUMBER, "500", "The largest number of lines of one request.", minimum=1),
    Key(
        f"{_TENANT}.http[].timeout",
        Kind.DURATION,
        "10s",
        "How long, as a duration, an answer may take before the request is sent again.",
        minimum=1,
    ),
    Key(
        f"{_TENANT}.http[].max_waiting",
        Kind.SIZE,
        "8MiB",
        "The bytes of lines that may wait to be sent; beyond it no more of the tenant's events are taken in.",
        minimum=1,
    ),
    *CONNECTOR_KEYS,
)
"""All keys, in the order of the reference page."""

SERVICE_KEYS = Registry("service.yaml", SERVICE_KEY_LIST)
