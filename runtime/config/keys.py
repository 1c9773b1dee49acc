"""Every key of `sessionizer.yaml`: its kind, default and meaning.

The reader knows no other keys, takes defaults from here, and the reference page is printed from here, so the three
cannot disagree.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from epl.diagnostics import did_you_mean
from runtime.config.choices import Late, LintSeverity, StoreKind, TimeDomain, TimePolicy, UnknownEvents
from runtime.config.units import parse_duration, parse_size


class Kind(Enum):
    """What a key holds; the text completes "wants …" in messages and stands in the reference page."""

    NAME = "a name"
    OPTIONAL_NAME = "a name, or null for none"
    FILE = "the name of a file"
    ADDRESS = "an address and a port such as `127.0.0.1:9999`"
    URL = "an address of the web such as `https://example.org/events`"
    SERVER = "an address such as `valkey://localhost:6379/0`"
    TOPIC = "the name of a topic: letters, digits, `.`, `_` and `-`"
    OPTIONS = "a mapping of names to values"
    RULES = "a block of rules"
    DURATION = "a duration such as `500ms`, `30s`, `30m`, `24h` or `1d`"
    SIZE = "a size in bytes such as `512`, `64KiB`, `16MiB` or `1GiB`"
    NUMBER = "a whole number, 0 or more"
    CHOICE = "one of its words"
    MODULES = "a list of names of Python modules"
    CODES = "a list of codes or beginnings of codes, such as `W7` or `W601`"
    SWITCH = "`true` or `false`"
    EVENTS = "a mapping of event types, each a mapping of fields to types"
    SECTION = "a mapping"
    SECTIONS = "a list of mappings"


class Key(Struct, frozen=True):
    """One key.

    `path` names its place, `[]` standing for any entry of a list. `default` is written as in YAML; None means that
    nothing holds when it is absent, or what `doc` says. `minimum` is in the unit of the value: ms, bytes or a count.
    """

    path: str
    kind: Kind
    default: str | None
    doc: str
    required: bool = False
    minimum: int = 0
    choices: tuple[str, ...] = ()

    @property
    def section(self) -> str:
        """The path of the mapping that holds it, empty for the top."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The key as it stands in the file."""
        return self.path.rpartition(".")[2].removesuffix("[]")


def _marker_keys(section: str) -> tuple[Key, ...]:
    docs = {
        "id": ("_snid", "the session's id"),
        "start": ("_snst", "the time of arrival of its first event, in ms since 1970"),
        "end": ("_snet", "the time of arrival of its last event, in ms since 1970"),
        "duration": ("_sndn", "the ms between the two"),
        "count": ("_snec", "the number of its events"),
        "reason": ("_snrs", "the reason of its end"),
        "user": ("_snut", "the highest time by the user's clock, under the ender's policy"),
        "marker": ("_snmk", "the marker's own id, the same whenever it is sent again"),
    }
    return tuple(
        Key(
            f"{section}.{name}", Kind.OPTIONAL_NAME, default, f"The field of a marker that holds {what}; null drops it."
        )
        for name, (default, what) in docs.items()
    )


_PROFILE = "profiles[]"
_SUB = "profiles[].sub_sessions[]"

KEYS: tuple[Key, ...] = (
    Key("tenant", Kind.NAME, None, "The tenant's name, as metrics and dead letters show it.", required=True),
    Key(
        "events", Kind.EVENTS, "{}", "The types of events: a mapping from a type's name to its fields and their types."
    ),
    Key("type_field", Kind.NAME, "_type", "The field of an event that names its type."),
    Key("controller", Kind.FILE, None, "The file of stage 1's rules, relative to the tenant's folder."),
    Key("controller_text", Kind.RULES, None, "Stage 1's rules themselves, instead of a file."),
    Key(
        "unknown_events",
        Kind.CHOICE,
        "pass",
        "What happens to an event of a type that nobody declared: it passes through, or becomes a dead letter.",
        choices=tuple(UnknownEvents),
    ),
    Key("imports", Kind.MODULES, "[]", "The Python modules that register functions and annotations for the rules."),
    Key("limits", Kind.SECTION, "{}", "What no session and no event may exceed."),
    Key(
        "limits.max_idle",
        Kind.DURATION,
        "30m",
        "The longest gap that a profile or a rule may set, as a duration; below `cache.max_time_slots` seconds.",
        minimum=1,
    ),
    Key("limits.max_events", Kind.NUMBER, "0", "The largest number of events of one session; 0 is no limit."),
    Key(
        "limits.rate",
        Kind.NUMBER,
        "0",
        "The largest number of events in a second of the clock; those above it become dead letters; 0 is no limit.",
    ),
    Key(
        "limits.sessions",
        Kind.NUMBER,
        "0",
        "The largest number of live sessions; the one due first is evicted for a new one; 0 is no limit.",
    ),
    Key(
        "limits.state",
        Kind.SIZE,
        "0",
        "The largest state and metadata of one session, in bytes; one that grows beyond is evicted; 0 is no limit.",
    ),
    Key(
        "limits.rule_time",
        Kind.DURATION,
        "0s",
        "How long, as a duration, a rule may take for one event before it is stopped, as an error; 0 is no limit.",
    ),
    Key(
        "limits.max_line",
        Kind.SIZE,
        "1MiB",
        "The longest event in bytes; a longer one becomes a dead letter.",
        minimum=1,
    ),
    Key("cache", Kind.SECTION, "{}", "How sessions are kept in memory."),
    Key("cache.block_size", Kind.SIZE, "64", "The bytes of a block; a session takes one or more of them.", minimum=64),
    Key("cache.page_size", Kind.SIZE, "4MiB", "The bytes of a page; at most 65536 blocks.", minimum=64),
    Key("cache.memory", Kind.SIZE, "1GiB", "The bytes that all pages may take; at least one page.", minimum=64),
    Key(
        "cache.hash_capacity",
        Kind.NUMBER,
        "4194304",
        "The number of sessions that the index is laid out for; it grows beyond, a piece at a time.",
        minimum=1,
    ),
    Key(
        "cache.max_time_slots",
        Kind.NUMBER,
        "7200",
        "The number of one-second slots of the time wheel; more than the seconds of `limits.max_idle`.",
        minimum=1,
    ),
    Key(
        "cache.hot",
        Kind.NUMBER,
        "100000",
        "The number of sessions kept as objects, over all profiles; 0 sends each through the pages.",
    ),
    Key("time", Kind.SECTION, "{}", "Which clock sessions go by, and what happens to late events."),
    Key(
        "time.domain",
        Kind.CHOICE,
        "processing",
        "The clock that sessions go by: the wall clock, or the events' own times.",
        choices=tuple(TimeDomain),
    ),
    Key(
        "time.source",
        Kind.NAME,
        "_timestamp_",
        "The field that holds an event's own time, in ms since 1970; `_timestamp_` is stage 1's column.",
    ),
    Key(
        "time.allowed_lateness",
        Kind.DURATION,
        "0s",
        "How far, as a duration, an event may be behind the newest one before it is late.",
    ),
    Key(
        "time.late",
        Kind.CHOICE,
        "extend",
        "What happens to a late event: it extends its session, opens a new one, is dropped, or becomes a dead letter.",
        choices=tuple(Late),
    ),
    Key(
        "time.idle_close",
        Kind.DURATION,
        "60s",
        "How long, as a duration of wall time, a partition is quiet before its sessions end by the wall clock.",
    ),
    Key(
        "time.future",
        Kind.DURATION,
        "1h",
        "How far, as a duration, an event's time may be ahead of the wall clock; one further ahead is set to it.",
    ),
    Key(
        "time.most_waiting",
        Kind.NUMBER,
        "1_000_000",
        "The largest number of events that wait for late ones within `allowed_lateness`; beyond it the oldest goes on.",
        minimum=1,
    ),
    Key("time.zone", Kind.NAME, "UTC", "The time zone in which days end, such as `Europe/Berlin`."),
    Key(
        "time.policy",
        Kind.CHOICE,
        "gap",
        "What ends a session: its own inactivity, or the rules of OpenReplay's session ender.",
        choices=tuple(TimePolicy),
    ),
    Key(
        "time.partitions",
        Kind.NUMBER,
        "1",
        "The ender's number of partitions; a session belongs to that of its key's number modulo it.",
        minimum=1,
    ),
    Key(
        "time.user_time",
        Kind.OPTIONAL_NAME,
        "null",
        "The ender's field of an event that holds the time by the user's clock, in ms since 1970.",
    ),
    Key("store", Kind.SECTION, "{}", "Where sessions are kept beyond this process."),
    Key(
        "store.kind",
        Kind.CHOICE,
        "none",
        "The store: none, embedded in this process, or valkey.",
        choices=tuple(StoreKind),
    ),
    Key("lint", Kind.SECTION, "{}", "What `sojourn lint` reports; a `sojourn.toml` has the same keys under `[lint]`."),
    Key("lint.select", Kind.CODES, "[E, W6, W7]", "The warnings to report; errors always are."),
    Key("lint.ignore", Kind.CODES, "[]", "The warnings to leave out of those."),
    Key(
        "lint.severity",
        Kind.CHOICE,
        "warning",
        "The least to report: with `error`, no warnings.",
        choices=tuple(LintSeverity),
    ),
    Key("lint.strict", Kind.SWITCH, "false", "Whether warnings end with exit code 1, too."),
    Key(
        "profiles",
        Kind.SECTIONS,
        None,
        "The kinds of sessions, in the order in which they see an event.",
        required=True,
    ),
    Key(f"{_PROFILE}.name", Kind.NAME, None, "The profile's name, as `@Session` gives it.", required=True),
    Key(
        f"{_PROFILE}.type",
        Kind.NUMBER,
        None,
        "The unique number that prefixes the keys of its sessions.",
        required=True,
    ),
    Key(
        f"{_PROFILE}.gap",
        Kind.DURATION,
        "30m",
        "The inactivity, as a duration, that ends a session; when absent, no longer than `limits.max_idle`.",
        minimum=1,
    ),
    Key(
        f"{_PROFILE}.max_active",
        Kind.DURATION,
        "24h",
        "The longest time, as a duration, that a session lives; 0 is no limit.",
    ),
    Key(
        f"{_PROFILE}.midnight",
        Kind.SWITCH,
        "false",
        "Whether a session ends when the day ends in `time.zone`, and the next event opens another.",
    ),
    Key(
        f"{_PROFILE}.shadow",
        Kind.SWITCH,
        "false",
        "Whether the profile only counts: its sessions begin and end, but neither markers nor decorations leave.",
    ),
    Key(f"{_PROFILE}.begin_marker", Kind.OPTIONAL_NAME, "null", "The type of the event sent when a session begins."),
    Key(f"{_PROFILE}.end_marker", Kind.OPTIONAL_NAME, "null", "The type of the event sent when a session ends."),
    Key(f"{_PROFILE}.keys", Kind.SECTION, "{}", "The names of the fields of a session's markers."),
    *_marker_keys(f"{_PROFILE}.keys"),
    Key(
        f"{_PROFILE}.events",
        Kind.EVENTS,
        "{}",
        "Types of events for this profile and its sub-sessions, beside the tenant's; its markers, for instance.",
    ),
    Key(f"{_PROFILE}.rules", Kind.FILE, None, "The file of stage 2's rules, relative to the tenant's folder."),
    Key(f"{_PROFILE}.rules_text", Kind.RULES, None, "Stage 2's rules themselves, instead of a file."),
    Key(f"{_PROFILE}.sub_sessions", Kind.SECTIONS, "[]", "The kinds of sessions that live within one of this profile."),
    Key(f"{_SUB}.name", Kind.NAME, None, "The sub-session's name, as `@SubSession` gives it.", required=True),
    Key(
        f"{_SUB}.gap",
        Kind.DURATION,
        None,
        "The inactivity, as a duration, that ends a sub-session; the profile's gap when absent, and never longer.",
        minimum=1,
    ),
    Key(f"{_SUB}.begin_marker", Kind.OPTIONAL_NAME, "null", "The type of the event sent when a sub-session begins."),
    Key(f"{_SUB}.end_marker", Kind.OPTIONAL_NAME, "null", "The type of the event sent when a sub-session ends."),
    Key(f"{_SUB}.keys", Kind.SECTION, "{}", "The names of the fields of a sub-session's markers."),
    *_marker_keys(f"{_SUB}.keys"),
    Key(f"{_SUB}.rules", Kind.FILE, None, "The file of the sub-session's rules, relative to the tenant's folder."),
    Key(f"{_SUB}.rules_text", Kind.RULES, None, "The sub-session's rules themselves, instead of a file."),
)
"""All keys, in the order of the reference page."""


class Registry:
    """The keys of one kind of file, found by path and by section; `file` is what messages call it."""

    def __init__(self, file: str, keys: tuple[Key, ...]) -> None:
        self.file = file
        self._by_path = {key.path: key for key in keys}
        self._by_section: dict[str, dict[str, Key]] = {}
        for key in keys:
            self._by_section.setdefault(key.section, {})[key.name] = key

    def at(self, path: str) -> Key:
        """The key of a path such as `profiles[].gap`. Raises KeyError when there is none."""
        return self._by_path[path]

    def of(self, section: str) -> dict[str, Key]:
        """The keys of a section by name. Raises KeyError when there is no such section."""
        return self._by_section[section]

    def hint_for_unknown(self, section: str, name: str) -> str | None:
        """A hint for a name that a section does not know: the place where it belongs, or a near one."""
        elsewhere = next((key.section for key in self._by_path.values() if key.name == name), None)
        if elsewhere is not None:
            return f"`{name}` belongs {place_of(elsewhere)}"
        return did_you_mean(name, self.of(section))

    def default_text(self, path: str) -> str:
        """The default of a key that holds a word. Raises KeyError when there is no such key or default."""
        default = self.at(path).default
        if default is None:
            raise KeyError(path)
        return default

    def default_number(self, path: str) -> int:
        """The default of a key in ms, bytes or a count. Raises KeyError when there is no such key or default."""
        number = parse_number(self.at(path).kind, self.default_text(path))
        if number is None:
            raise KeyError(path)
        return number


def place_of(section: str) -> str:
    """A section in words: `at the top`, or `under` its path."""
    return f"under `{section}`" if section else "at the top"


def parse_number(kind: Kind, text: str) -> int | None:
    """The ms, bytes or count of a text, by kind; None when it is none. Raises ValueError for a kind without numbers."""
    match kind:
        case Kind.DURATION:
            return parse_duration(text)
        case Kind.SIZE:
            return parse_size(text)
        case Kind.NUMBER:
            digits = text.replace("_", "")
            # `010` would be eight to YAML and ten to everyone else.
            plain = digits.isascii() and digits.isdigit() and len(digits) <= 18 and (digits == "0" or digits[0] != "0")
            return int(digits) if plain else None
        case _:
            raise ValueError(f"{kind} holds no number")


TENANT_KEYS = Registry("sessionizer.yaml", KEYS)
"""The keys of `sessionizer.yaml`."""

default_text = TENANT_KEYS.default_text
default_number = TENANT_KEYS.default_number
