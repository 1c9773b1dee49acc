"""An environment of its own for each program that is measured beside ours, made on demand and kept."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2] / ".venv-bench"


class Unavailable(Exception):
    """Something cannot be measured here; the message says why in a few words."""


def python_of(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment that has these packages. Raises Unavailable."""
    folder = ROOT / name
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    note = folder / ".installed"
    wanted = "\n".join((sys.version, *packages))
    if note.is_file() and note.read_text() == wanted:
        return python
    print(f"making {folder.relative_to(ROOT.parent)} ...", file=sys.stderr)
    _run([sys.executable, "-m", "venv", "--clear", str(folder)])
    # A package without a wheel for this Python would be built for minutes, and fail.
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
    _run([str(python), *install, *packages])
    note.write_text(wanted)
    return python


def version_of(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    return _run([str(python), "-c", f"from importlib.metadata import version; print(version({package!r}))"]).strip()


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(last_words(done.stderr))
    return done.stdout


def last_words(stderr: str) -> str:
    """The line in which a program says why it failed."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return (errors or lines or ["it failed without a word"])[-1][:160]
