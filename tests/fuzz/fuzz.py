"""`make fuzz`: made-up rule files and configurations, steered by coverage (atheris), until the time is up.

A finding does not end the run: it is written to the folder of findings, once for each place in the code that raised,
and the run goes on. Exit code 1 when there is any.

    python tests/fuzz/fuzz.py rules --seconds 3600 --out /tmp/fuzz
"""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["epl", "runtime.config", "runtime.rules", "runtime.surroundings"]):
    from harness import TARGETS

from mutations import Mutations
from seeds import SEEDS, TOKEN, expressions, words, write_corpus, write_dictionary

SLOW_S = 10
"""More than this for one input is a finding, too."""


class TooSlow(BaseException):
    """One input took too long. No Exception, so that nothing on the way catches it."""


class Run:
    """Calls a target and keeps what it raises."""

    def __init__(self, target: Callable[[bytes], None], seconds: float, findings: Path) -> None:
        self._target = target
        self._ends = time.monotonic() + seconds
        self._findings = findings
        self._seen: set[str] = set()
        self._calls = 0
        signal.signal(signal.SIGALRM, _too_slow)

    def __call__(self, data: bytes) -> None:
        """One input."""
        self._calls += 1
        if time.monotonic() > self._ends:
            self._finish()
        signal.setitimer(signal.ITIMER_REAL, SLOW_S)
        try:
            self._target(data)
        except (Exception, TooSlow) as error:
            self._keep(data, error)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _keep(self, data: bytes, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        # An endless loop is interrupted anywhere within it; by its function it is one finding and not many.
        places = [f"{frame.filename}:{frame.name}" for frame in frames if "/fuzz/fuzz.py" not in frame.filename]
        # A deep recursion is the same finding at any depth.
        key = f"{type(error).__name__} {' '.join(dict.fromkeys(places))}"
        name = hashlib.sha1(key.encode()).hexdigest()[:10]
        text = "".join(traceback.format_exception(error)[-40:])
        known = self._findings / name
        if name not in self._seen:
            self._seen.add(name)
            print(f"FINDING {known}\n{text}", flush=True)
        if not known.exists() or known.stat().st_size > len(data):
            known.write_bytes(data)
            known.with_suffix(".txt").write_text(text, encoding="utf-8", errors="backslashreplace")

    def _finish(self) -> None:
        print(f"DONE {self._calls:,} executions, {len(self._seen)} findings in {self._findings}", flush=True)
        # Behind libFuzzer's loop there is no way back.
        os._exit(1 if self._seen else 0)


def _too_slow(*_: object) -> None:
    raise TooSlow(f"more than {SLOW_S} s")


def main() -> None:
    """Fuzzes one target."""
    parser = argparse.ArgumentParser(description="Fuzz the rule language.")
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--out", type=Path, help="corpus, dictionary and findings [default: a new temporary folder]")
    parser.add_argument("--max-len", type=int, default=4096, help="bytes of an input")
    given = parser.parse_args()
    out = given.out or Path(tempfile.mkdtemp(prefix="sojourn-fuzz-"))
    corpus, findings = out / f"corpus-{given.target}", out / f"findings-{given.target}"
    dictionary = out / f"{given.target}.dict"
    findings.mkdir(parents=True, exist_ok=True)
    write_corpus(corpus, given.target)
    write_dictionary(dictionary, given.target)
    mutations = Mutations(
        TOKEN,
        [seed for seed in SEEDS["rules"]() if len(seed) <= given.max_len],
        [word.encode() for word in words()],
        [expression.encode() for expression in expressions()],
    )

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        random = Random(seed)
        if random.random() < 0.3:
            return bytes(atheris.Mutate(data, len(data)))
        return mutations(data, random)[:max_size]

    run = Run(TARGETS[given.target], given.seconds, findings)
    options = [f"-dict={dictionary}", f"-max_len={given.max_len}", f"-artifact_prefix={findings}/", "-timeout=60"]
    atheris.Setup([sys.argv[0], *options, "-rss_limit_mb=4096", str(corpus)], run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
