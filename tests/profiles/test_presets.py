"""The presets ga4, ua, matomo, snowplow, openreplay: kept markers, and what the products define in plain Python.

`*_sessions` below know nothing of the engine: they group the events of a key by what the READMEs quote. They have to
agree with it about the samples and about 2,000 random events whose pauses are as near to each limit as can be.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from epl.structs import replace
from runtime.cli.fmt import fmt_command
from runtime.cli.lint import lint_command
from runtime.config import TenantConfig, TimePolicy, load_tenant
from runtime.io import MemorySink
from runtime.markers import MarkerIds
from runtime.replay import Replay
from runtime.rules import compile_tenant

PROFILES = Path(__file__).parents[2] / "profiles"
SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
GAP_MS = 30 * MINUTE_MS
DAY_MS = 24 * 60 * MINUTE_MS

Line = dict[str, Any]


@dataclass(slots=True)
class Session:
    """The events of one session, the heartbeats that only looked at it, and why it ended."""

    key: str
    events: list[Line] = field(default_factory=list)
    heartbeats: list[Line] = field(default_factory=list)
    reason: str = "gap"
    arrived: tuple[int, int] | None = None
    """When its first event came, and the last that kept it alive, where sessions go by arrival."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How to compute one preset's sessions and markers, and how to make up events for it."""

    name: str
    event_type: str
    type_number: int
    markers: tuple[str, str]
    time_of: Callable[[Line], int]
    sessions: Callable[[list[Line]], Iterable[Session]]
    begin: Callable[[Session], Line]
    end: Callable[[Session], Line]
    random: Callable[[Random], Iterator[Line]]
    now_field: str | None = None


# ---- Google Analytics 4


def ga4_time(event: Line) -> int:
    return int(event["event_timestamp"]) // 1000


def ga4_sessions(events: list[Line]) -> Iterator[Session]:
    """Half an hour of silence, and nothing else."""
    for user, own in by(events, lambda event: event.get("user_pseudo_id")):
        yield from cut(user, own, lambda last, event: ga4_time(event) - ga4_time(last) >= GAP_MS)


def ga4_begin(session: Session) -> Line:
    first = session.events[0]
    return {
        "user_pseudo_id": session.key,
        "ga_session_id": ga4_time(first) // 1000,
        "landing_page": first["page_location"],
        "session_source": first.get("source", "(direct)"),
        "session_medium": first.get("medium", "(none)"),
        "session_campaign": first.get("campaign"),
    }


def ga4_end(session: Session) -> Line:
    """Engaged: longer than 10 seconds, two views or a key event."""
    views = [event for event in session.events if event["event_name"] in ("page_view", "screen_view")]
    keys = [event for event in session.events if event["event_name"] in ("purchase", "generate_lead", "sign_up")]
    seconds = (ga4_time(session.events[-1]) - ga4_time(session.events[0])) / 1000
    return {
        "views": len(views),
        "key_events": len(keys),
        "engagement_time_msec": sum(event.get("engagement_time_msec", 0) for event in session.events),
        "exit_page": views[-1]["page_location"] if views else None,
        "session_engaged": seconds > 10 or len(views) >= 2 or bool(keys),
    }


def ga4_random(random: Random) -> Iterator[Line]:
    names = ("page_view", "page_view", "screen_view", "scroll", "user_engagement", "session_start", "purchase")
    steps = (0, 1, 2500, 9999, 10_000, 10_001, GAP_MS - 1, GAP_MS, GAP_MS + 1, 7 * 60 * MINUTE_MS)
    for user, time_ms in timelines(random, steps, "UTC"):
        yield {
            "event_name": random.choice(names),
            "event_timestamp": time_ms * 1000,
            "user_pseudo_id": user,
            "page_location": f"/p/{random.randrange(9)}",
            **some(
                random, source="google", medium="cpc", campaign="spring", engagement_time_msec=random.randrange(9999)
            ),
        }


# ---- Universal Analytics

NEW_YORK = ZoneInfo("America/New_York")


def ua_time(hit: Line) -> int:
    return int(hit["time"])


def ua_sessions(hits: list[Line]) -> Iterator[Session]:
    """Half an hour of silence, midnight, or another campaign than the one that the visitor is credited to."""
    for client, own in by(hits, lambda hit: hit.get("clientId")):
        credited = list(ua_credited(own))
        sessions = list(
            cut(
                client,
                credited,
                lambda last, hit: (
                    hit["time"] - last["time"] >= GAP_MS
                    or day_of(hit["time"], NEW_YORK) != day_of(last["time"], NEW_YORK)
                    or credit_of(hit) != credit_of(last)
                ),
            )
        )
        for session, following in pairs(sessions):
            session.reason = reason_of(session.events[-1]["time"], ua_time, following, NEW_YORK)
            yield session


def ua_credited(hits: list[Line]) -> Iterator[Line]:
    """The hits with the campaign that counts for them: their own, else the last one of the past six months."""
    credit = direct = ("(direct) / (none)", "(not set)")
    last_ms = hits[0]["time"]
    for hit in hits:
        if hit["time"] - last_ms >= 180 * DAY_MS:
            credit = direct
        last_ms = hit["time"]
        arrival = ua_arrival(hit)
        if arrival is not None:
            credit = (arrival, str(hit.get("utm_campaign", hit.get("gclid", "(not set)"))))
        yield {**hit, "sourceMedium": credit[0], "campaign": credit[1]}


def ua_arrival(hit: Line) -> str | None:
    """Source and medium that a hit tells by itself; None for direct traffic and for one's own pages."""
    if "gclid" in hit:
        return "google / cpc"
    if "utm_source" in hit:
        return f"{hit['utm_source']} / {hit.get('utm_medium', '(not set)')}"
    host = urlsplit(hit.get("referrer", "")).hostname
    if host is None or host == "shop.example":
        return None
    engine = host.removeprefix("www.").split(".")[0]
    return f"{engine} / organic" if engine in ("google", "bing", "duckduckgo") else f"{host} / referral"


def credit_of(hit: Line) -> tuple[str, str]:
    return hit["sourceMedium"], hit["campaign"]


def ua_begin(session: Session) -> Line:
    first = session.events[0]
    return {name: first[name] for name in ("clientId", "sourceMedium", "campaign")} | {"landingPage": first["location"]}


def ua_end(session: Session) -> Line:
    pages = [hit["location"] for hit in session.events if hit["hitType"] == "pageview"]
    return {
        "pageviews": len(pages),
        "transactions": sum(hit["hitType"] == "transaction" for hit in session.events),
        "exitPage": pages[-1] if pages else None,
        "bounce": sum(not hit.get("nonInteraction") for hit in session.events) <= 1,
    }


def ua_random(random: Random) -> Iterator[Line]:
    steps = (0, 700, 3 * MINUTE_MS, GAP_MS - 1, GAP_MS, GAP_MS + 1, 9 * 60 * MINUTE_MS, 179 * DAY_MS, 180 * DAY_MS)
    arrivals: tuple[Line, ...] = (
        {"gclid": "Cj1"},
        {"gclid": "Cj2", "utm_source": "google"},
        {"utm_source": "mail", "utm_medium": "email", "utm_campaign": "spring"},
        {"utm_source": "mail", "utm_medium": "email", "utm_campaign": "summer"},
        {"utm_source": "mail"},
        {"referrer": "https://www.google.com/search?q=tea"},
        {"referrer": "https://bing.com/"},
        {"referrer": "https://blog.example/tea"},
    )
    within: tuple[Line, ...] = ({}, {"referrer": "https://shop.example/p/1"})
    for client, time_ms in timelines(random, steps, "America/New_York"):
        yield {
            "clientId": client,
            "time": time_ms,
            "hitType": random.choice(("pageview", "pageview", "event", "transaction")),
            "location": f"/p/{random.randrange(9)}",
            **some(random, nonInteraction=random.random() < 0.5),
            **random.choice(random.choice((arrivals, within, within))),
        }


# ---- Matomo

BERLIN = ZoneInfo("Europe/Berlin")
ACTIONS = ("pageview", "outlink", "download", "search", "event")


def matomo_time(request: Line) -> int:
    return int(request["server_time"])


def matomo_visits(requests: list[Line], *, midnight: bool = True, most: int = 10_000) -> Iterator[Session]:
    """As Matomo's VisitRequestProcessor and its campaign column decide, by the visitor and the website."""
    for key, own in by(requests, matomo_key):
        visits: list[Session] = []
        for request in own:
            now_ms, visit = request["server_time"], visits[-1] if visits else None
            last_ms = visit.events[-1]["server_time"] if visit else 0
            is_over = (
                visit is None
                or now_ms - last_ms >= GAP_MS
                or (midnight and day_of(now_ms, BERLIN) != day_of(last_ms, BERLIN))
            )
            if request.get("ping"):
                if visit is not None and not is_over:
                    visit.heartbeats.append(request)
                continue
            if visit is None:
                visits.append(Session(key, [request]))
            elif is_over:
                visit.reason = reason_of(last_ms, matomo_time, None, BERLIN if midnight else None)
                visits.append(Session(key, [request]))
            elif len(visit.events) >= most:
                visit.reason = "max_events"
                visits.append(Session(key, [request]))
            elif request.get("new_visit") or is_new_campaign(visit, request):
                visit.reason = "split"
                visits.append(Session(key, [request]))
            else:
                visit.events.append(request)
        if visits:
            visits[-1].reason = reason_of(
                visits[-1].events[-1]["server_time"], matomo_time, None, BERLIN if midnight else None
            )
        yield from visits


def matomo_key(request: Line) -> str | None:
    return f"{request['idsite']}:{request['idvisitor']}" if "idvisitor" in request else None


def matomo_referer(visit: Session) -> tuple[str | None, ...]:
    """Type, name and keyword of the first request; those of the first campaign when it came without any."""
    first = referer_of(visit.events[0])
    late = [referer_of(each) for each in visit.events if each.get("referer_type") == "campaign"]
    return late[0] if first[0] == "direct" and late else first


def referer_of(request: Line) -> tuple[str | None, ...]:
    texts = (request.get(name) for name in ("referer_name", "referer_keyword"))
    return request.get("referer_type", "direct"), *(text and text.lower() for text in texts)


def is_new_campaign(visit: Session, request: Line) -> bool:
    now, before = referer_of(request), matomo_referer(visit)
    return now[0] == "campaign" and before[0] != "direct" and now != before


def matomo_begin(visit: Session) -> Line:
    """What the first request says; a campaign that comes late is for the end marker alone."""
    first = visit.events[0]
    kind, name, keyword = referer_of(first)
    return {
        "idsite": first["idsite"],
        "idvisitor": first["idvisitor"],
        "visit_entry_url": first["url"],
        "referer_type": kind,
        "referer_name": name,
        "referer_keyword": keyword,
    }


def matomo_end(visit: Session) -> Line:
    kind, name, keyword = matomo_referer(visit)
    actions = [each for each in visit.events if each["action_type"] in ACTIONS]
    later = [*visit.events[1:], *visit.heartbeats]
    seconds = max(((each["server_time"] - visit.events[0]["server_time"]) // 1000 + 1 for each in later), default=0)
    return {
        "referer_type": kind,
        "referer_name": name,
        "referer_keyword": keyword,
        "visit_total_actions": len(actions),
        "visit_total_time": seconds,
        "visit_goal_converted": any(each["action_type"] == "goal" for each in visit.events),
        "visit_exit_url": actions[-1]["url"] if actions else None,
        "bounce": len(actions) <= 1,
    }


def matomo_random(random: Random) -> Iterator[Line]:
    steps = (0, 1000, 1500, 4 * MINUTE_MS, GAP_MS - 1, GAP_MS, GAP_MS + 1, 5 * 60 * MINUTE_MS)
    referers: tuple[Line, ...] = (
        {"referer_type": "campaign", "referer_name": "Spring"},
        {"referer_type": "campaign", "referer_name": "spring", "referer_keyword": "Tea"},
        {"referer_type": "campaign", "referer_name": "spring", "referer_keyword": "tea"},
        {"referer_type": "website", "referer_name": "blog.example"},
        {"referer_type": "search", "referer_name": "Google"},
    )
    for visitor, time_ms in timelines(random, steps, "Europe/Berlin"):
        heartbeat = random.random() < 0.2
        yield {
            "idsite": random.choice((1, 1, 1, 2)),
            "idvisitor": visitor,
            "server_time": time_ms,
            "url": f"/p/{random.randrange(9)}",
            **({"ping": True} if heartbeat else {"action_type": random.choice((*ACTIONS, "goal"))}),
            **(random.choice(referers) if random.random() < 0.4 else {}),
            **({"new_visit": True} if random.random() < 0.05 else {}),
        }


# ---- Snowplow


def snowplow_time(event: Line) -> int:
    return int(event["derived_tstamp"])


def snowplow_sessions(events: list[Line]) -> Iterator[Session]:
    """The tracker's sessions; one that it goes on with after half an hour of silence comes in parts."""
    for given, own in by(events, lambda event: event.get("domain_sessionid")):
        yield from cut(given, own, lambda last, event: event["derived_tstamp"] - last["derived_tstamp"] >= GAP_MS)


def snowplow_begin(session: Session) -> Line:
    first = session.events[0]
    same = ("domain_sessionid", "domain_sessionidx", "domain_userid", "page_referrer")
    return {name: first.get(name) for name in (*same, "mkt_source", "mkt_medium", "mkt_campaign")} | {
        "first_page_url": first["page_url"]
    }


def snowplow_end(session: Session) -> Line:
    """Engaged time as in snowplow_web_pv_engaged_time: 10 s a distinct interval with a ping, but 5 s for the first."""
    beats: dict[str, set[int]] = defaultdict(set)
    for event in session.events:
        if event["event_name"] == "page_ping":
            beats[event["page_view_id"]].add(event["derived_tstamp"] // 10_000)
    views = {event["page_view_id"] for event in session.events if event["event_name"] == "page_view"}
    pages = [event["page_url"] for event in session.events if event["event_name"] in ("page_view", "page_ping")]
    engaged = sum(10 * (len(found) - 1) + 5 for found in beats.values())
    return {
        "page_views": len(views),
        "engaged_time_in_s": engaged,
        "absolute_time_in_s": (session.events[-1]["derived_tstamp"] - session.events[0]["derived_tstamp"]) // 1000,
        "last_page_url": pages[-1] if pages else None,
        "is_engaged": len(views) >= 2 or engaged / 10 >= 2,
    }


def snowplow_random(random: Random) -> Iterator[Line]:
    """Each browser has one id for a while; it changes in the middle of everything or stays beyond the gap."""
    steps = (0, 400, 5000, 9999, 10_000, MINUTE_MS, GAP_MS - 1, GAP_MS, GAP_MS + 1)
    ids: dict[str, int] = defaultdict(int)
    for user, time_ms in timelines(random, steps, "UTC"):
        ids[user] += random.random() < 0.1
        yield {
            "event_name": random.choice(("page_view", "page_ping", "page_ping", "page_ping", "link_click")),
            "derived_tstamp": time_ms,
            "domain_userid": user,
            "domain_sessionid": f"{user}-{ids[user]}",
            "domain_sessionidx": ids[user],
            "page_view_id": f"view-{random.randrange(3)}",
            "page_url": f"/p/{random.randrange(9)}",
            **some(random, mkt_source="linkedin"),
        }


# ---- OpenReplay

TIMEOUT_MS = 150 * SECOND_MS
PARTITIONS = 16


def openreplay_time(message: Line) -> int:
    return int(message["batchTimestamp"])


def openreplay_sessions(
    messages: list[Line], *, policy: TimePolicy = TimePolicy.ENDER, by_arrival: bool = True
) -> Iterator[Session]:
    """Both clocks, and every whole second as a tick; without arrivals the local clock is the highest batch time."""
    live: dict[int, Session] = {}
    highest: dict[int, int] = {}  # of a session: its batch time
    partitions: dict[int, tuple[int, int]] = {}  # its last batch time, and when that came
    now_ms: int | None = None

    def is_over(number: int, tick_ms: int) -> bool:
        part_ms, heard_ms = partitions[number % PARTITIONS]
        arrived = live[number].arrived
        assert arrived is not None
        behind_ms, quiet_ms = part_ms - highest[number], tick_ms - arrived[1]
        if policy is TimePolicy.ENDER_2022:
            return behind_ms > TIMEOUT_MS or quiet_ms > TIMEOUT_MS
        return (quiet_ms if behind_ms >= TIMEOUT_MS else tick_ms - heard_ms) >= TIMEOUT_MS

    for message in messages:
        tells = message["type"] == "Timestamp" or message["type"] in ("MobileEvent", "MobileClickEvent")
        is_page = message["type"] == "SetPageLocation"
        batch_ms, number = message["batchTimestamp"], message["sessionID"]
        before_ms = now_ms
        if by_arrival or tells or is_page:
            now_ms = max(message["received"] if by_arrival else batch_ms, now_ms or 0)
        if live and before_ms is not None and now_ms is not None:
            for second in range(before_ms // 1000 + 1, now_ms // 1000 + 1):
                for ended in [each for each in live if is_over(each, second * 1000)]:
                    yield live.pop(ended)
        if batch_ms == 0:
            continue
        if is_page and number in live:
            live[number].heartbeats.append(message)
        if not tells:
            continue
        assert now_ms is not None
        partitions[number % PARTITIONS] = batch_ms, now_ms
        if number not in live:
            live[number], highest[number] = Session(str(number), arrived=(now_ms, now_ms)), batch_ms
        live[number].events.append(message)
        if batch_ms > highest[number]:
            start_ms, _ = live[number].arrived or (now_ms, now_ms)
            highest[number], live[number].arrived = batch_ms, (start_ms, now_ms)
    yield from live.values()


def openreplay_begin(session: Session) -> Line:
    return {"sessionID": int(session.key), "userStart": session.events[0]["timestamp"]}


def openreplay_end(session: Session) -> Line:
    """The user's highest time counts, whichever batch brought it."""
    highest_ms = max(message["timestamp"] for message in session.events)
    return {
        "_snut": highest_ms,
        "duration": highest_ms - session.events[0]["timestamp"],
        "pagesCount": len(session.heartbeats),
        "lastURL": session.heartbeats[-1]["url"] if session.heartbeats else None,
    }


def openreplay_random(random: Random) -> Iterator[Line]:
    """Twenty sessions in five partitions; what comes while a partition stands still comes when it goes on."""
    steps = (0, 1, 9000, MINUTE_MS, TIMEOUT_MS - 1, TIMEOUT_MS, TIMEOUT_MS + 1, 400 * SECOND_MS)
    types = ("Timestamp", "Timestamp", "Timestamp", "MobileEvent", "SetPageLocation", "MouseMove", "MobileSessionEnd")
    start_ms = 1_772_000_000_000
    messages: list[Line] = []
    for place in range(20):
        number = 8219439437203744000 + 16 * place + place % 5
        skew_ms = random.choice((0, -700, 60 * MINUTE_MS))
        at_ms = start_ms + random.randrange(10 * MINUTE_MS)
        for _ in range(100):
            at_ms += random.choice(steps)
            received = at_ms + random.choice((0, 0, 300, 2000))
            stands_until_ms = start_ms + (place % 5 + 1) * 20 * MINUTE_MS
            if stands_until_ms - 8 * MINUTE_MS < received < stands_until_ms:
                received = stands_until_ms + random.randrange(2000)
            messages.append(
                {
                    "sessionID": number,
                    "batchTimestamp": random.choice((at_ms,) * 17 + (0, at_ms - 1, at_ms - 200 * SECOND_MS)),
                    "received": received,
                    "type": random.choice(types),
                    "timestamp": at_ms + skew_ms - random.randrange(500),
                    "url": f"/p/{random.randrange(9)}",
                }
            )
    yield from sorted(messages, key=lambda message: message["received"])


# ---- what they share


def by(events: list[Line], key_of: Callable[[Line], str | None]) -> Iterator[tuple[str, list[Line]]]:
    """The events of each key, without those that have none."""
    found: dict[str, list[Line]] = defaultdict(list)
    for event in events:
        key = key_of(event)
        if key is not None:
            found[key].append(event)
    yield from found.items()


def cut(key: str, events: list[Line], is_new: Callable[[Line, Line], bool]) -> Iterator[Session]:
    """Sessions between those neighbours that `is_new` tells apart."""
    session = Session(key, events[:1])
    for last, event in pairwise(events):
        if is_new(last, event):
            yield session
            session = Session(key)
        session.events.append(event)
    yield session


def pairs(sessions: list[Session]) -> Iterator[tuple[Session, Session | None]]:
    yield from zip(sessions, [*sessions[1:], None], strict=True)


def day_of(time_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(zone).date()


def reason_of(last_ms: int, time_of: Callable[[Line], int], following: Session | None, zone: ZoneInfo | None) -> str:
    """Why a session ended: something other than time split it, its day was over before its gap, or its gap was over."""
    is_over_ms = last_ms + GAP_MS
    if zone is not None and day_of(is_over_ms, zone) != day_of(last_ms, zone):
        return "split"
    return "split" if following is not None and time_of(following.events[0]) < is_over_ms else "gap"


def timelines(random: Random, steps: tuple[int, ...], zone: str) -> Iterator[tuple[str, int]]:
    """2,000 times of twenty users, in order, from the night before the clocks go forward; some at midnight exactly."""
    start_ms = round(datetime(2026, 3, 7, 22, tzinfo=ZoneInfo(zone)).timestamp() * 1000)
    times: list[tuple[int, str]] = []
    for user in range(20):
        now_ms = start_ms + random.randrange(DAY_MS)
        for _ in range(100):
            times.append((now_ms, f"user{user}"))
            if random.random() < 0.05:
                tomorrow = day_of(now_ms, ZoneInfo(zone)) + timedelta(days=1)
                midnight = datetime.combine(tomorrow, datetime.min.time(), ZoneInfo(zone))
                now_ms = round(midnight.timestamp() * 1000) - random.choice((0, 1, GAP_MS))
            else:
                now_ms += random.choice(steps)
    yield from ((user, time_ms) for time_ms, user in sorted(times))


def some(random: Random, **fields: object) -> Line:
    """Each of the fields or not."""
    return {name: value for name, value in fields.items() if random.random() < 0.5}


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            "ga4",
            "Ga4Event",
            1,
            ("Ga4SessionBegin", "Ga4SessionEnd"),
            ga4_time,
            ga4_sessions,
            ga4_begin,
            ga4_end,
            ga4_random,
        ),
        Preset("ua", "Hit", 2, ("SessionBegin", "SessionEnd"), ua_time, ua_sessions, ua_begin, ua_end, ua_random),
        Preset(
            "matomo",
            "MatomoRequest",
            1,
            ("VisitBegin", "VisitEnd"),
            matomo_time,
            matomo_visits,
            matomo_begin,
            matomo_end,
            matomo_random,
        ),
        Preset(
            "snowplow",
            "SnowplowEvent",
            1,
            ("SessionBegin", "SessionEnd"),
            snowplow_time,
            snowplow_sessions,
            snowplow_begin,
            snowplow_end,
            snowplow_random,
        ),
        Preset(
            "openreplay",
            "TrackerMessage",
            1,
            ("SessionBegin", "SessionEnd"),
            openreplay_time,
            openreplay_sessions,
            openreplay_begin,
            openreplay_end,
            openreplay_random,
            now_field="received",
        ),
    )
}


def expected_of(preset: Preset, sessions: Iterable[Session]) -> Iterator[Line]:
    """Both markers of each session."""
    before: Counter[tuple[str, int]] = Counter()
    for session in sessions:
        first_ms, last_ms = preset.time_of(session.events[0]), preset.time_of(session.events[-1])
        session_id = f"{session.key}{first_ms:016x}"
        path = f"{preset.name}/{preset.type_number}"
        if session.arrived is not None:
            first_ms, last_ms = session.arrived
        start = {"_snid": session_id, "_snst": first_ms}
        end = {"_snet": last_ms, "_sndn": last_ms - first_ms, "_snec": len(session.events), "_snrs": session.reason}
        begin = preset.begin(session)
        # A split may open two sessions of one key in one millisecond.
        ordinal = before[session_id, first_ms]
        before[session_id, first_ms] += 1
        ids = [{"_snmk": MarkerIds(path).of(session_id, first_ms, kind, ordinal)} for kind in ("begin", "end")]
        for marker in (
            {"_type": preset.markers[0], **begin, **start, **ids[0]},
            {"_type": preset.markers[1], **begin, **start, **end, **preset.end(session), **ids[1]},
        ):
            yield {name: value for name, value in marker.items() if value is not None}


def replayed(config: TenantConfig, events: Path, now_field: str | None = None) -> list[Line]:
    """Everything that leaves, in order."""
    sink = MemorySink()
    replay = Replay(compile_tenant(config), sink, now_field=now_field).run([str(events)])
    assert not replay.engine.counters.rule_errors
    assert not replay.refused
    return [json.loads(line) for line in sink.lines]


def lines_of(path: Path) -> list[Line]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(events: list[Line], path: Path) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def markers_of(preset: Preset, sent: list[Line]) -> list[Line]:
    return [line for line in sent if line.get("_type") in preset.markers]


def in_order(markers: Iterable[Line]) -> list[Line]:
    return sorted(markers, key=lambda marker: (marker["_snid"], marker.get("_snec", 0), str(marker)))


each_preset = pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)


@each_preset
def test_kept_markers(preset: Preset) -> None:
    """The markers beside the sample, in the order in which they leave; events keep all they came with."""
    folder = PROFILES / preset.name
    sent = replayed(load_tenant(folder), folder / "events.ndjson", preset.now_field)
    assert markers_of(preset, sent) == lines_of(folder / "expected.ndjson")
    events = lines_of(folder / "events.ndjson")
    left = [line for line in sent if line.get("_type") not in preset.markers]
    assert all(event.items() <= line.items() for event, line in zip(events, left, strict=True))
    assert 25 <= len(events) <= 60


@each_preset
def test_sample_against_plain_python(preset: Preset) -> None:
    """The definition, computed without the engine."""
    events = lines_of(PROFILES / preset.name / "events.ndjson")
    kept = lines_of(PROFILES / preset.name / "expected.ndjson")
    assert in_order(expected_of(preset, preset.sessions(events))) == in_order(kept)


@each_preset
def test_random_events_against_plain_python(preset: Preset, tmp_path: Path) -> None:
    """2,000 events, most of them a millisecond from something that matters."""
    events = list(preset.random(Random(20260307)))
    path = written(events, tmp_path / "events.ndjson")
    sent = replayed(load_tenant(PROFILES / preset.name), path, preset.now_field)
    sessions = list(preset.sessions(events))
    assert in_order(expected_of(preset, sessions)) == in_order(markers_of(preset, sent))
    assert len(events) == 2000
    assert len(sessions) > 200
    splits = preset.name in ("ua", "matomo")
    assert {session.reason for session in sessions} == ({"gap", "split"} if splits else {"gap"})


@pytest.mark.parametrize(("midnight", "most"), [(False, 10_000), (True, 2), (False, 3)])
def test_settings_of_matomo(midnight: bool, most: int, tmp_path: Path) -> None:
    """Matomo's create_new_visit_after_midnight is `midnight` here, create_new_visit_after_x_actions `max_events`."""
    config = load_tenant(PROFILES / "matomo")
    (profile,) = config.profiles
    config = replace(
        config, profiles=(replace(profile, midnight=midnight),), limits=replace(config.limits, max_events=most)
    )
    events = list(matomo_random(Random(5)))
    sent = replayed(config, written(events, tmp_path / "events.ndjson"))
    visits = matomo_visits(events, midnight=midnight, most=most)
    assert in_order(expected_of(PRESETS["matomo"], visits)) == in_order(markers_of(PRESETS["matomo"], sent))


@pytest.mark.parametrize("now_field", [None, "received"])
@pytest.mark.parametrize("policy", [TimePolicy.ENDER, TimePolicy.ENDER_2022])
@pytest.mark.parametrize("seed", [1, 2])
def test_both_enders_by_either_clock(policy: TimePolicy, now_field: str | None, seed: int, tmp_path: Path) -> None:
    """OpenReplay's ender as it was in 2022 and as it is, with times of arrival and without."""
    preset = PRESETS["openreplay"]
    config = load_tenant(PROFILES / preset.name)
    config = replace(config, time=replace(config.time, policy=policy))
    events = list(openreplay_random(Random(seed)))
    sent = replayed(config, written(events, tmp_path / "events.ndjson"), now_field)
    sessions = openreplay_sessions(events, policy=policy, by_arrival=now_field is not None)
    assert in_order(expected_of(preset, sessions)) == in_order(markers_of(preset, sent))


def test_a_backlog_is_one_session() -> None:
    """The README's example: what was read at once after a standstill is not cut by it; in 2022 it was."""
    folder = PROFILES / "openreplay"
    config = load_tenant(folder)
    parts = {}
    for policy in (TimePolicy.ENDER, TimePolicy.ENDER_2022):
        replaced = replace(config, time=replace(config.time, policy=policy))
        sent = replayed(replaced, folder / "events.ndjson", "received")
        ends = [line for line in sent if line.get("_type") == "SessionEnd"]
        parts[policy] = [line["duration"] for line in ends if line["sessionID"] == 8219439437203744163]
    assert parts == {TimePolicy.ENDER: [480_000], TimePolicy.ENDER_2022: [390_000, 0]}


def test_the_tag_counts_the_same_sessions() -> None:
    """GA4's tag stamps events with the session that it thinks they are of; the rules do not look at that."""
    folder = PROFILES / "ga4"
    sent = replayed(load_tenant(folder), folder / "events.ndjson")
    ours = {line["_snid"]: line["ga_session_id"] for line in sent if line.get("_type") == "Ga4SessionEnd"}
    stamped = [line for line in sent if "event_name" in line and "session_id" in line]
    assert len(stamped) == 27
    assert all(line["ga_session_id"] == ours[line["session_id"]] for line in stamped)


@each_preset
def test_lint_and_format(preset: Preset) -> None:
    """Not one warning, and written as `sojourn fmt` writes."""
    folder = str(PROFILES / preset.name)
    linted = CliRunner().invoke(lint_command, [folder, "--select", "E,W6,W7,W8", "--strict"])
    assert linted.exit_code == 0, linted.output
    formatted = CliRunner().invoke(fmt_command, ["--check", folder])
    assert formatted.exit_code == 0, formatted.output
