"""The diagnostics of configuration, E501 and up.

The examples are whole files; the rule files that they name exist and are empty, except `missing.epl`.
"""

from __future__ import annotations

from epl.diagnostics import Code

_HEAD = "tenant: shop\ncontroller: controller.epl\n"
_PROFILE = "profiles:\n  - name: Visit\n    type: 1\n"
_MINIMAL = _HEAD + _PROFILE

UNREADABLE = Code(
    "E501",
    "File that cannot be read",
    "`{file}` cannot be read: {reason}",
    "A rule file that is left out would change the sessions without a word.",
    _HEAD + _PROFILE + "    rules: missing.epl\n",
    _HEAD + _PROFILE + "    rules: session.epl\n",
)
NOT_YAML = Code(
    "E502",
    "Not YAML",
    "this is not YAML that can be used: {reason}",
    "Nothing after the place where YAML ends to make sense can be trusted. Blocks nest at most 32 levels deep, and "
    "aliases stand for at most 100000 values.",
    "tenant: shop: two\n",
    _MINIMAL,
)
DUPLICATE_KEY = Code(
    "E503",
    "Repeated key",
    "`{key}` stands in line {line} already",
    "YAML readers take one of the two and do not say which.",
    "tenant: shop\n" + _MINIMAL,
    _MINIMAL,
)
UNKNOWN_KEY = Code(
    "E504",
    "Unknown key",
    "there is no key `{key}` {place}",
    "A misspelt key that is ignored leaves its default in force.",
    _MINIMAL + "    gapp: 10m\n",
    _MINIMAL + "    gap: 10m\n",
)
WRONG_KIND = Code(
    "E505",
    "Value of the wrong kind",
    "{key} wants {expected}, not {found}",
    "A number without its unit, or a list where one thing is meant, has no sure meaning.",
    _MINIMAL + "    gap: 1800\n",
    _MINIMAL + "    gap: 1800s\n",
)
MISSING_KEY = Code(
    "E506",
    "Missing key",
    "`{key}` is missing {place}",
    "It has no default that would do for everyone.",
    "tenant: shop\n" + _PROFILE,
    _MINIMAL,
)
BELOW_MINIMUM = Code(
    "E507",
    "Value too small",
    "`{key}` must be at least {minimum}, not {value}",
    "A gap of nothing would end each session at its own first event.",
    _MINIMAL + "    gap: 0s\n",
    _MINIMAL + "    gap: 1s\n",
)
UNKNOWN_CHOICE = Code(
    "E508",
    "Unknown word",
    "`{key}` is one of {words}, not `{value}`",
    "Only these have a meaning.",
    "time: {late: ignore}\n" + _MINIMAL,
    "time: {late: drop}\n" + _MINIMAL,
)
UNKNOWN_TYPE = Code(
    "E509",
    "Unknown type of a field",
    "there is no type `{type}` for the field `{field}`",
    "Rules are checked against the types of the fields that they read.",
    "events: {Click: {at: lonng}}\n" + _MINIMAL,
    "events: {Click: {at: long}}\n" + _MINIMAL,
)
NAME_TAKEN = Code(
    "E510",
    "Name or number used twice",
    "the {what} `{name}` is taken by line {line}",
    "Rules find a profile and a sub-session by name, and stored sessions find their profile by its type.",
    _MINIMAL + "  - name: Cart\n    type: 1\n",
    _MINIMAL + "  - name: Cart\n    type: 2\n",
)
MARKER_TAKEN = Code(
    "E511",
    "Marker used twice",
    "the marker `{name}` is taken by line {line}",
    "Whoever receives a marker must know from its type what began or ended.",
    _MINIMAL + "    begin_marker: Visited\n    end_marker: Visited\n",
    _MINIMAL + "    begin_marker: Began\n    end_marker: Ended\n",
)
GAP_OVER_IDLE = Code(
    "E512",
    "Gap longer than the limit",
    "the gap of {gap} is longer than `limits.max_idle` of {max_idle}",
    "Every gap is cut to the limit, so this one would never be honoured.",
    "limits: {max_idle: 10m}\n" + _MINIMAL + "    gap: 20m\n",
    "limits: {max_idle: 20m}\n" + _MINIMAL + "    gap: 20m\n",
)
SUB_GAP_OVER_GAP = Code(
    "E513",
    "Gap of a sub-session longer than the profile's",
    "the gap of {gap} is longer than the profile's of {profile_gap}",
    "A sub-session ends with its session at the latest.",
    _MINIMAL + "    gap: 10m\n    sub_sessions: [{name: Cart, gap: 20m, rules: cart.epl}]\n",
    _MINIMAL + "    gap: 10m\n    sub_sessions: [{name: Cart, gap: 5m, rules: cart.epl}]\n",
)
ACTIVE_UNDER_GAP = Code(
    "E514",
    "Cap on the age shorter than the gap",
    "`max_active` of {max_active} is shorter than the gap of {gap}",
    "Sessions would always end by age and never by the gap.",
    _MINIMAL + "    gap: 20m\n    max_active: 10m\n",
    _MINIMAL + "    gap: 20m\n    max_active: 2h\n",
)
IDLE_OVER_SLOTS = Code(
    "E515",
    "Longest gap beyond the time wheel",
    "`max_idle` of {max_idle} does not fit into {slots} slots of one second",
    "A session that is due beyond the last slot could not be put anywhere.",
    "limits: {max_idle: 2h}\n" + _MINIMAL,
    "limits: {max_idle: 2h}\ncache: {max_time_slots: 7201}\n" + _MINIMAL,
)
PAGE_TOO_LARGE = Code(
    "E516",
    "Page of too many blocks",
    "a page of {page_size} has more than 65536 blocks: `block_size` is {block_size}",
    "Blocks of a page are numbered with 16 bits.",
    "cache: {page_size: 64MiB}\n" + _MINIMAL,
    "cache: {page_size: 64MiB, block_size: 1KiB}\n" + _MINIMAL,
)
NO_ROOM = Code(
    "E517",
    "Larger than what holds it",
    "a {part} of {size} does not fit into {holder} of {room}",
    "The cache has at least one page, and a page at least one block.",
    "cache: {memory: 2MiB}\n" + _MINIMAL,
    "cache: {memory: 16MiB}\n" + _MINIMAL,
)
RULES_TWICE = Code(
    "E518",
    "Rules as a file and as text",
    "`{text_key}` stands beside `{file_key}`",
    "Only one of them could hold.",
    _MINIMAL + "    rules: session.epl\n    rules_text: create schema Click (n int)\n",
    _MINIMAL + "    rules_text: create schema Click (n int)\n",
)
FIELD_TWICE = Code(
    "E519",
    "Field of a marker named twice",
    "`{key}` has the name of `{other}`: `{name}`",
    "A marker has one value for each of its fields, so one of the two would be lost.",
    _MINIMAL + "    keys: {id: _snst}\n",
    _MINIMAL + "    keys: {id: _snst, start: null}\n",
)
FIELD_TYPES = Code(
    "E520",
    "One field of two types",
    "profile `{profile}` declares `{field}` as {type}, and it is {other} already",
    "An event is decoded once for all profiles, so a field has one type everywhere.",
    _HEAD + "events: {Click: {user: string}}\n" + _PROFILE + "    events: {Click: {user: int}}\n",
    _HEAD + "events: {Click: {user: string}}\n" + _PROFILE + "    events: {Click: {user: string}}\n",
)
IMPORT_FAILED = Code(
    "E521",
    "Import that fails",
    "`{module}` cannot be imported: {reason}",
    "Rules may call what it registers, so none can run without it. It is looked for in the tenant's folder, then among "
    "the installed packages.",
    "imports: [shop_functons]\n" + _MINIMAL,
    "imports: [shop_functions]\n" + _MINIMAL,
)
NOTHING_REGISTERED = Code(
    "E522",
    "Import that registers nothing",
    "`{module}` registers neither a function nor an annotation",
    "What rules may use carries `@function` or `@annotation` of `epl.extend`.",
    "imports: [json]\n" + _MINIMAL,
    "imports: [shop_functions]\n" + _MINIMAL,
)
NAME_IN_USE = Code(
    "E523",
    "Registered name in use",
    "`{name}` of `{module}` is there already",
    "A rule says the name alone, so it must mean one thing.",
    "imports: [shop_functions, shop_functions_again]\n" + _MINIMAL,
    "imports: [shop_functions]\n" + _MINIMAL,
)
WRONG_EXAMPLE = Code(
    "E524",
    "Example that does not hold",
    "the example `{example}` of `{name}` in `{module}` {outcome}",
    "Examples are the documentation, and the test that the function does what its author thinks.",
    "imports: [shop_wrong]\n" + _MINIMAL,
    "imports: [shop_functions]\n" + _MINIMAL,
)
FIELD_NAME = Code(
    "E525",
    "Field whose name cannot be read",
    "events cannot be read with a field named `{field}`",
    "Names with quotes, backslashes or control characters are written in more than one way in JSON.",
    'events: {Click: {"a\\"b": string}}\n' + _MINIMAL,
    "events: {Click: {a_b: string}}\n" + _MINIMAL,
)
NO_SUCH_CODE = Code(
    "E526",
    "Unknown code of a diagnostic",
    "there is no code that begins with `{given}`",
    "A misspelt code would select nothing, or leave nothing out, without a word.",
    "lint: {ignore: [W66]}\n" + _MINIMAL,
    "lint: {ignore: [W606]}\n" + _MINIMAL,
)
ERRORS_IGNORED = Code(
    "E527",
    "Error that is to be ignored",
    "errors cannot be ignored: `{given}`",
    "What is wrong stops the rules from running, whether it is reported or not.",
    "lint: {ignore: [E2]}\n" + _MINIMAL,
    "lint: {ignore: [W6]}\n" + _MINIMAL,
)
UNKNOWN_ZONE = Code(
    "E528",
    "Unknown time zone",
    "there is no time zone `{zone}`",
    "A day ends when the clocks of its place say so. Zones are named as in the IANA database.",
    "time: {zone: Europe/Berln}\n" + _MINIMAL,
    "time: {zone: Europe/Berlin}\n" + _MINIMAL,
)

CONFIG_CODES: tuple[Code, ...] = (
    UNREADABLE,
    NOT_YAML,
    DUPLICATE_KEY,
    UNKNOWN_KEY,
    WRONG_KIND,
    MISSING_KEY,
    BELOW_MINIMUM,
    UNKNOWN_CHOICE,
    UNKNOWN_TYPE,
    NAME_TAKEN,
    MARKER_TAKEN,
    GAP_OVER_IDLE,
    SUB_GAP_OVER_GAP,
    ACTIVE_UNDER_GAP,
    IDLE_OVER_SLOTS,
    PAGE_TOO_LARGE,
    NO_ROOM,
    RULES_TWICE,
    FIELD_TWICE,
    FIELD_TYPES,
    IMPORT_FAILED,
    NOTHING_REGISTERED,
    NAME_IN_USE,
    WRONG_EXAMPLE,
    FIELD_NAME,
    NO_SUCH_CODE,
    ERRORS_IGNORED,
    UNKNOWN_ZONE,
)
"""All of them, by number."""
