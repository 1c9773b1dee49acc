"""One run of one program: wall and CPU seconds and its peak memory, from outside."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass

from environments import Unavailable, last_words

# `time -v` is not everywhere: a small wrapper in a process of its own tells what its only child has used. Measured from
# a larger process, the peak would be at least as much as that one has.
_WRAPPER = """\
import resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
wall_s = time.perf_counter() - began
sys.stdout.buffer.write(done.stdout)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
raise SystemExit(done.returncode)
"""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run took, and what it printed."""

    wall_s: float
    cpu_s: float
    peak_bytes: int
    output: str


def measured(command: list[str]) -> Measured:
    """Runs a program. Raises Unavailable when it fails."""
    wrapped = [sys.executable, "-c", _WRAPPER, *command]
    done = subprocess.run(wrapped, check=False, capture_output=True, text=True)
    said, _, used = done.stderr.rstrip().rpartition("\n")
    if done.returncode:
        raise Unavailable(f"it failed: {last_words(said)}")
    wall_s, cpu_s, peak = used.split()
    return Measured(float(wall_s), float(cpu_s), int(peak) * _RSS_UNIT, done.stdout)
