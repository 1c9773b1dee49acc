"""The golden cases and the shop, cut into parts: what leaves several processes is what leaves one, in order."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from runtime.config import load_tenant
from runtime.parallel.reasons import why_in_one_piece
from runtime.rules import compile_tenant

from .sides import Sides, assert_same, parts_at, time_of

TESTS = Path(__file__).parents[1]
FOLDERS = sorted(path.parent for path in (TESTS / "golden" / "cases").rglob("sessionizer.yaml"))


def test_most_cases_can_be_cut() -> None:
    can_be_cut = [folder for folder in FOLDERS if why_in_one_piece(compile_tenant(load_tenant(folder))) is None]
    assert len(can_be_cut) > len(FOLDERS) / 2


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_golden_case(folder: Path, sides: Sides) -> None:
    rules = compile_tenant(load_tenant(folder))
    if reason := why_in_one_piece(rules):
        pytest.skip(f"it goes in one piece: {reason}")
    source = folder / "events.ndjson"
    one = sides.one(rules, [str(source)], now_field="now")
    lines = len(source.read_bytes().splitlines())
    cuts = parts_at(source, [lines // 3, lines // 2, lines - 1], time_of(rules, now_field="now"))
    several = sides.several(rules, cuts, now_field="now", ordered=True)
    assert_same(one, several, ordered=True)


@pytest.fixture(scope="module")
def shop_events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source = tmp_path_factory.mktemp("shop") / "events.ndjson"
    source.write_bytes(gzip.decompress((TESTS.parent / "examples" / "shop" / "events.ndjson.gz").read_bytes()))
    return source


@pytest.mark.parametrize("ordered", [False, True], ids=["any order", "ordered"])
def test_the_shop(shop_events: Path, sides: Sides, ordered: bool) -> None:
    rules = compile_tenant(load_tenant(TESTS.parent / "examples" / "shop"))
    assert why_in_one_piece(rules) is None
    one = sides.one(rules, [str(shop_events)])
    cuts = parts_at(shop_events, [4000, 9000, 15000], time_of(rules))
    several = sides.several(rules, cuts, workers=3, ordered=ordered)
    assert several.replayed.workers is not None
    assert several.replayed.workers.used == 3
    assert several.replayed.workers.redone == 0
    assert_same(one, several, ordered=ordered)


def test_a_part_that_begins_earlier_than_some_before_is_gone_through_again(
    shop_events: Path, sides: Sides, tmp_path: Path
) -> None:
    lines = shop_events.read_bytes().splitlines(keepends=True)[:3000]
    source = tmp_path / "events.ndjson"
    # The clock stands at the latest event, which comes first.
    source.write_bytes(b"".join([lines[-1], *lines]))
    rules = compile_tenant(load_tenant(TESTS.parent / "examples" / "shop"))
    one = sides.one(rules, [str(source)])
    several = sides.several(rules, parts_at(source, [1000, 2000], time_of(rules)), ordered=True)
    assert several.replayed.workers is not None
    assert several.replayed.workers.redone == 2
    assert_same(one, several, ordered=True)
