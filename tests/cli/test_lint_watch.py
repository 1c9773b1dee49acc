"""`sojourn lint --watch`, as a process of its own: a file is mended while it looks, and Ctrl-C ends it."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from runtime.cli import main

BAD = "create schema E (a string);\nselect b from E;\n"
GOOD = "create schema E (a string);\n@DecorateEvent select a as b from E;\n"
SECONDS = 20


class Watching:
    """The running command; what it prints is read line by line."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "runtime.cli", "lint", "--watch", "."]
        self.process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def result(self) -> str:
        """What is printed up to the end of the next result."""
        text = ""
        while "watching for changes" not in text:
            text += self._lines.get(timeout=SECONDS)
        return text

    def interrupted(self) -> int:
        """The exit code after Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(SECONDS)


def put(file: Path, text: str) -> None:
    """Writes a file at once, as editors do: no half of it is ever seen."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Watching]:
    """The command in a folder with a bad file."""
    pytest.importorskip("watchfiles")
    (tmp_path / "rules.epl").write_text(BAD)
    # Tests that are run in the background may have been begun with Ctrl-C ignored, which a process hands down.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = Watching(tmp_path)
    signal.signal(signal.SIGINT, before)
    yield running
    running.process.kill()
    running.process.wait(SECONDS)


def test_watch(watching: Watching, tmp_path: Path) -> None:
    first = watching.result()
    assert "error[E201]" in first and "1 error" in first
    put(tmp_path / "rules.epl", GOOD)
    second = watching.result()
    assert "no problems" in second and "E201" not in second
    assert "\x1b" not in second  # no terminal: nothing is cleared or coloured
    (tmp_path / "rules.epl").unlink()
    assert "neither a sessionizer.yaml nor an .epl file" in watching.result()
    put(tmp_path / "rules.epl", GOOD)
    assert "no problems" in watching.result()
    assert watching.interrupted() == 0


def test_the_last_result_is_the_exit_code(watching: Watching) -> None:
    assert "E201" in watching.result()
    assert watching.interrupted() == 1


def test_nothing_to_watch(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["lint", "--watch", str(tmp_path / "no" / "such.epl")])
    assert result.exit_code == 2
    assert "there is no such file or folder" in result.output


def test_without_watchfiles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    result = CliRunner().invoke(main, ["lint", "--watch", str(tmp_path)])
    assert result.exit_code == 2
    assert "pip install 'sojourn[watch]'" in result.output
