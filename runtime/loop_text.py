"""The pieces of Python of which `runtime.loop` makes a loop over events.

Names of the loop's own are plain, those of rules begin with `a_` (the controller's) or `b_` (the profile's). `e` is the
event, `s` its session, `fx` what rules leave for the engine.
"""

from __future__ import annotations

SOURCE = """\
def loop(engine, at_work, lines, refuse):
    now = at_work.now_ms
    wheel, fx, tick = at_work.wheel, engine._effects, engine._tick
    decode = engine.decoder.decode
    output = engine._output
    send = output.event
    keep = output.as_it_came if isinstance(output, LineOutput) else None
    (profile,) = engine.profiles
    table, process, counters = profile.table, profile.process, profile.counters
    get, hot, most_hot = table.get, table._hot, table.most_hot
    longest_ms, s, p = counters.max_interval_ms, None, None
    routes, rows = fx.routes, fx.rows
    duration_ms, is_passive, decorations, added = None, False, None, None
    begins, slots, opened = profile.begins_plainly, wheel.slots, wheel.opened
    begin_marker = profile._output.marker
    common = began = lagged = ok = bypassed = passive = behind = 0
    last, turn = at_work.last
    if last != now:
        turn = 0
{before}
    number, line = 0, b""
    try:
        for {given} in lines:
            try:
                e = decode(line)
            except BAD_LINE as error:
                engine._not_decoded(line, error, number, refuse, now)
                continue
{route}
            s = get(key)
{overdue}
{common}
{begin}
{doubt}
{catch_up}
            added = process(e, key, event_ms, duration_ms, is_passive, now, turn)
            longest_ms = counters.max_interval_ms
{send}
            if added is False:
                bypassed += 1
            elif is_passive:
                passive += 1
            else:
                ok += 1
            if profile.ending:
                profile.after_event(now)
{catch_up_last}
    except FROM_DATA as error:
        raise Escaped(number, line, f"{{type(error).__name__}}: {{error}}") from error
    finally:
{after}
        counters.count_begins(began, lagged)
        engine._leave(at_work, now, (now, turn), behind, ok=ok + common + began, bypassed=bypassed, passive=passive)
"""
LINES = "number, line"
ROUTE = """\
{arrival}
key = None
{stage_1}
if key is None:
{send}
    bypassed += 1
    continue
if event_ms is None:
{own_time}
{clock}
"""
# An event that was put off (`runtime.doubt`) comes with what was found then.
PUT_OFF = "number, line, now, turn, key, event_ms, duration_ms, is_passive, decorations"
COUNT_LATE = """\
if event_ms < now and not is_passive and not profile.holds(key, event_ms, now):
    engine.counters.late[{late!r}] += 1
"""
# The common event: its session is live, and nothing of it can be due before `due_ms`. A pause longer than all before is
# seldom, and noted by `process`.
COMMON = """\
if s is not None and now < s.due_ms and now - s.modified_ms <= longest_ms{passive} and profile.is_plain:
    s.modified_ms = now
    s.count += 1
    s.turn = turn
{stage_2}
{send}
    common += 1
    continue
"""
# A session that begins: what `process` does where all sessions are objects, and none that began in this ms has ended.
# Its event counts when all is done: one that fails leaves nothing behind.
BEGIN = """\
if s is None and begins{certain} and now != profile._opened_ms and table._index is None and len(hot) <= most_hot:
{tick}
    if profile._cut_until_ms and now < profile._cut_until_ms.pop(key, 0):
        counters.long += 1
{session}
{stage_2}
{marker}
    if event_ms < now:
        counters.count_lag(now - event_ms)
        lagged += 1
    due_ms = now + {due_in_ms}
    second = due_ms // {slot_ms}
    if second == wheel.kept_second:
        s.slot = None
        wheel.schedule(s, due_ms)
    else:
        s.due_ms = due_ms
        s.slot = slot = slots.get(second) or opened(second)
        slot.sessions[s] = None
    hot[key] = s
    began += 1
{send}
    continue
"""
# Where an engine begins in the middle of a stream, a session begins in line when its key has no past for sure.
CERTAIN = " and now >= certain_ms and key not in heard_ms"
# Of other keys this asks, just before an event goes the long way. A dict without decorations is taken again for the
# next event, so it is not kept.
DOUBT = f"""\
if covers(key, is_passive, now):
    decorations = decorations or None
    engine.put_off.append(({PUT_OFF}))
    continue
"""
TICK = """\
if now >= wheel.next_tick_ms:
    tick(at_work, now)
"""
# Where no event leaves, nobody sees whether a tick came before an event that has no part in what is due. So ticks wait
# for one that has, and for the last line: many at a time cost less, since the processor has their code at hand.
OVERDUE = """\
if s is not None and now >= s.due_ms and now >= wheel.next_tick_ms:
    tick(at_work, now)
    s = get(key)
"""
AT_ARRIVAL = """\
given = e.{slot}
if given is not None and given > now:
    now, turn = given, 0
{tick}
"""
BY_EVENT_TIME = """\
if event_ms > now:
    now, turn = event_ms, 1
{tick}
else:
    turn += 1
    if event_ms < now:
        behind += 1
"""
OWN_TIME = """\
event_ms = e.{slot}
if event_ms is None:
    event_ms = now
"""
ADDED = """\
if added:
    if decorations:
        decorations.update(added)
    else:
        decorations = added
"""
SEND = "send(line, decorations, now)\n"
# Where stage 1 decorates nothing.
SEND_ADDED = "send(line, added or None, now)\n"
SEND_ADDED_OR_KEEP = """\
if added:
    {spare} = {{}}
    send(line, added, now)
elif keep is None:
    send(line, None, now)
else:
    keep(line)
"""
SEND_OR_KEEP = """\
if decorations or keep is None:
    send(line, decorations, now)
else:
    keep(line)
"""
CALLED_1 = """\
decorations = {handler}(e, None, None, now, fx)
if rows:
    decorations = fx.further_passes(None, None, now, decorations)
if routes[0] is not None:
    key, event_ms, duration_ms, is_passive = routes[0]
    routes[0] = None
"""
# A dict is taken again until something is in it.
RENEWED = """\
if {result}:
    {spare} = {{}}
"""
OVERLAID = """\
if decorations:
    {spare} = {{}}
    engine._overlay(e, decorations)
"""
