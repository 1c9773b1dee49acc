"""Starts `sojourn serve` again and again in a tenth of the time: a process that has imported everything, and forks.

An order is a line of JSON: `{"serve": [arguments], "folder": where}` gives the number of a process, whose stdout and
stderr go to files there, as its stdin comes from one if it is there, and which finds no packages that are named as
`without`; `{"wait": number}` gives its exit code.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence

import runtime.service
from runtime.cli import main

assert runtime.service, "imported before it is forked"


def serve(arguments: list[str], folder: str, without: Sequence[str]) -> None:
    """In a process of its own: never returns."""
    os.chdir(folder)
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name, mode in ((0, "stdin", "rb"), (1, "stdout", "wb"), (2, "stderr", "ab")):
        with open(name if number or os.path.exists(name) else os.devnull, mode) as file:
            os.dup2(file.fileno(), number)
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]
    try:
        main(arguments)
    except SystemExit as refused:
        sys.stderr.flush()
        os._exit(int(refused.code or 0))
    finally:
        os._exit(70)


children = set()
for line in sys.stdin:
    order = json.loads(line)
    if "serve" in order:
        child = os.fork()
        if child == 0:
            serve(order["serve"], order["folder"], order.get("without", ()))
        children.add(child)
        print(child, flush=True)
    else:
        children.discard(order["wait"])
        print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
for child in children:  # of tests that failed
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
