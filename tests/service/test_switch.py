"""Other parts in the place of those that there are: the old ones or the new ones, whatever the process dies of."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from runtime.service import switch
from runtime.service.layout import Layout
from runtime.service.switch import Target

STEPS = ("os.mkdir", "os.rename", "os.remove", "os.rmdir")
"""What changes something."""


def write(folder: Path, files: dict[str, str]) -> None:
    """Writes files by their place below a folder."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def read(folder: Path) -> dict[str, str]:
    """All files below a folder by their place."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def switched(state: Path, target: Target, files: dict[str, str]) -> None:
    """Puts other files in the place of those that there are."""
    write(switch.begin(state, target), files)
    switch.commit(state, target)
    switch.finish(state)


OF_THREE = {
    "versions/shop/1/sessionizer.yaml": "rules",
    "out/shop.ndjson": "of one process before",
    "front/shop/1.log": "old",
    "workers/0/log/shop/1.log": "old",
    "workers/0/versions/shop/1/sessionizer.yaml": "rules",
    "workers/1/log/shop/1.log": "old",
    "workers/2/log/shop/1.log": "old",
    "workers/2/versions/shop/1/sessionizer.yaml": "rules",
    "workers/2/lock": "",
}
THREE = Layout(3, {"shop": 1})


def test_from_three_workers_to_two(tmp_path: Path) -> None:
    write(tmp_path, {**OF_THREE, "workers/1/out/shop.ndjson": "lines"})
    THREE.write(tmp_path)
    new = {"front/shop/1.log": "new", "workers/0/log/shop/2.log": "new", "workers/1/log/shop/2.log": "new"}
    switched(tmp_path, Target(2, {"shop": 1}), new)
    assert Layout.read(tmp_path) == Layout(2, {"shop": 1})
    (tmp_path / "workers.json").unlink()
    assert read(tmp_path) == {
        "versions/shop/1/sessionizer.yaml": "rules",
        "out/shop.ndjson": "of one process before",
        "workers/0/versions/shop/1/sessionizer.yaml": "rules",
        "workers/1/out/shop.ndjson": "lines",
        **new,
    }
    assert not (tmp_path / "workers" / "2").exists()


def test_from_three_workers_to_one_process(tmp_path: Path) -> None:
    write(tmp_path, {**OF_THREE, "workers/2/out/shop.ndjson": "lines"})
    THREE.write(tmp_path)
    switched(tmp_path, Target(None), {"log/shop/2.log": "new"})
    assert read(tmp_path) == {
        "versions/shop/1/sessionizer.yaml": "rules",
        "out/shop.ndjson": "of one process before",
        "workers/2/out/shop.ndjson": "lines",
        "log/shop/2.log": "new",
    }


def test_from_one_process_to_a_worker(tmp_path: Path) -> None:
    write(tmp_path, {"log/shop/1.log": "old", "out/shop.ndjson": "lines"})
    switched(tmp_path, Target(1, {"shop": 4}), {"workers/0/log/shop/2.log": "new"})
    assert Layout.read(tmp_path) == Layout(1, {"shop": 4})
    (tmp_path / "workers.json").unlink()
    assert read(tmp_path) == {"out/shop.ndjson": "lines", "workers/0/log/shop/2.log": "new"}


def test_what_was_not_committed_is_nothing(tmp_path: Path) -> None:
    write(tmp_path, OF_THREE)
    write(switch.begin(tmp_path, Target(None)), {"log/shop/2.log": "new"})
    switch.finish(tmp_path)
    assert read(tmp_path) == OF_THREE


def dies_at(step: int, do: Callable[[], None]) -> bool:
    """Does something in a process that is ended at a step of it; False when it got to its end before."""
    child = os.fork()
    if child == 0:
        left = count(step, -1)

        def look(event: str, arguments: object) -> None:
            if event in STEPS and next(left) == 0:
                os._exit(1)

        sys.addaudithook(look)
        do()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


@pytest.mark.parametrize("workers", [None, 2])
def test_a_process_may_die_at_any_step(tmp_path: Path, workers: int | None) -> None:
    new = {"log/shop/2.log": "new"} if workers is None else {"workers/0/log/shop/2.log": "new"}
    outcomes = set()
    for step in count():
        state = tmp_path / str(step)
        write(state, OF_THREE)
        THREE.write(state)
        died = dies_at(step, lambda state=state: switched(state, Target(workers), new))  # type: ignore[misc]
        dies_at(step % 7, lambda state=state: switch.finish(state))  # type: ignore[misc]
        switch.finish(state)
        found = read(state)
        logs = {name: text for name, text in found.items() if "log/" in name or "front/" in name}
        is_new = logs == new
        assert is_new or found == read_whole(tmp_path)
        assert Layout.read(state) == ((None if workers is None else Layout(workers)) if is_new else THREE)
        assert not (state / "moved").exists()
        assert not (state / "moving").exists()
        outcomes.add(is_new)
        if not died:
            break
    assert outcomes == {False, True}


def read_whole(folder: Path) -> dict[str, str]:
    """The state of three workers, untouched."""
    whole = folder / "whole"
    write(whole, OF_THREE)
    THREE.write(whole)
    return read(whole)
