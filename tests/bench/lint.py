"""How long `sojourn lint` takes on a generated tenant of 2,000 statements, and a re-check of one file of 200.

    python tests/bench/lint.py [--runs 7]

The re-check is what an editor does at every key: the rules of a profile as they are now, within a tenant whose
configuration has been read before. Beside them, in the same run, the time that a plain loop takes, as a measure of
the machine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from epl import parse
from epl.lint import lint_program
from runtime.config import load_tenant
from runtime.lint import lint
from runtime.rules import TenantChecker
from runtime.surroundings import contexts

YAML = """\
tenant: generated
events: {{Page: {{user: string, et: string, url: string, n: int, at: long, price: double}}}}
controller_text: "@Session('P0') select user as _pk_, at as _timestamp_ from Page;"
profiles:
{profiles}
"""
PROFILE = """\
  - {{name: P{number}, type: {number}, end_marker: End{number}, rules: p{number}.epl}}
"""
RULES = (
    "@Name('views {0}') @UpdateCounter('c{0}') select 1 from Page(et = 'view{0}', n between 1 and 9);\n",
    "@UpdateState select url as u{0}, coalesce(price, 0.0) * 1.19 as p{0} from Page(url like '%/p{0}/%');\n",
    "@DecorateEvent select session.int('c{0}') as c{0} from Page(session.eventCount > {0});\n",
    "@UpdateMetadata select u.url as m{0} from Page(et in ('a', 'b', 'c{0}')) as u where u.url is not null;\n",
    "@DecorateEvent select session.int('c{0}') as c{0}, session.string('u{0}') || '!' as u{0} from End{1};\n",
)


def write_tenant(folder: Path, files: int, statements: int) -> None:
    """A tenant of so many rule files with so many statements each."""
    profiles = "".join(PROFILE.format(number=number) for number in range(files))
    (folder / "sessionizer.yaml").write_text(YAML.format(profiles=profiles))
    for number in range(files):
        rules = (RULES[place % len(RULES)].format(place // len(RULES), number) for place in range(statements))
        (folder / f"p{number}.epl").write_text("".join(rules))


def diagnosed(folder: Path) -> int:
    """The diagnostics of a tenant, as an editor shows them; a fix is proven when somebody asks for it."""
    checker = TenantChecker(load_tenant(folder))
    warnings = [each for context in contexts(checker) for each in lint_program(context, lambda code: False)]
    return len(checker.diagnostics) + len(warnings)


def median_ms(action: Callable[[], object], runs: int) -> float:
    """The median time of a few runs, after one that does not count."""
    times = []
    for _ in range(runs + 1):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[1:])


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as name:
        whole, part = Path(name) / "whole", Path(name) / "part"
        for folder, files in ((whole, 10), (part, 1)):
            folder.mkdir()
            write_tenant(folder, files, 200)
        found = lint([whole])
        text = (part / "p0.epl").read_text()
        config = load_tenant(part)
        rows = {
            "a loop of a million additions": median_ms(lambda: sum(range(1_000_000)), runs),
            "lint, 10 files of 200 statements": median_ms(lambda: lint([whole]), max(3, runs // 2)),
            "lint again, one file of 200 statements": median_ms(lambda: lint([part]), runs),
            "the same without proving fixes": median_ms(lambda: diagnosed(part), runs),
            "of it: parse": median_ms(lambda: parse(config.profiles[0].rules), runs),
            "of it: parse and check": median_ms(lambda: TenantChecker(config).diagnostics, runs),
        }
        print(f"{len(text.splitlines())} lines a file; found {found.errors} errors, {found.warnings} warnings")
        for what, milliseconds in rows.items():
            print(f"{what:40} {milliseconds:9.1f} ms")


if __name__ == "__main__":
    main()
