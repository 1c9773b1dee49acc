"""Starts `sojourn serve` again and again in a tenth of the time: a process that has imported everything, and forks.

An order is a line of JSON: `{"serve": [arguments], "folder": where}` gives the number of a process, whose stdout and
stderr go to files there; `{"wait": number}` gives its exit code.
"""

from __future__ import annotations

import json
import os
import signal
import sys

import runtime.service
from runtime.cli import main

assert runtime.service, "imported before it is forked"


def serve(arguments: list[str], folder: str) -> None:
    """In a process of its own: never returns."""
    os.chdir(folder)
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, name, mode in ((0, os.devnull, "rb"), (1, "stdout", "wb"), (2, "stderr", "ab")):
        with open(name, mode) as file:
            os.dup2(file.fileno(), number)
    try:
        main(arguments)
    finally:
        os._exit(70)


children = set()
for line in sys.stdin:
    order = json.loads(line)
    if "serve" in order:
        child = os.fork()
        if child == 0:
            serve(order["serve"], order["folder"])
        children.add(child)
        print(child, flush=True)
    else:
        children.discard(order["wait"])
        print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
for child in children:  # of tests that failed
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
