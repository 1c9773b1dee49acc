"""Work in a process of its own, so that its memory is its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

OnProgress = Callable[[str, float], None]
"""Called with what is being done, and the share of it that is done."""


class BenchFailed(Exception):
    """The process that measured ended without an answer: most likely there was not enough memory."""


def in_own_process(work: Callable[[Any, OnProgress], Any], job: Any, on_progress: OnProgress) -> Any:
    """What `work(job, on_progress)` returns, a function at the top of a module. Raises BenchFailed."""
    from multiprocessing import get_context  # not before it is needed: every command imports this module

    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(work, job, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        while True:
            match ours.recv():
                case (what, share):
                    on_progress(what, share)
                case found:
                    return found
    except EOFError:
        process.join()
        raise BenchFailed(f"the measuring process ended with code {process.exitcode}") from None
    finally:
        process.terminate()


def _work(work: Callable[[Any, OnProgress], Any], job: Any, pipe: Connection) -> None:
    pipe.send(work(job, lambda what, share: pipe.send((what, share))))
