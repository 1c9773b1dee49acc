"""The smallest input found that still raises the same: lines, then tokens, then characters are left out.

python tests/fuzz/minimise.py rules FINDING > tests/fuzz/found/rules/what-it-is.epl
"""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path

from harness import TARGETS
from seeds import TOKEN


def signature(target: str, data: bytes) -> str | None:
    """What an input raises and where, or None."""
    try:
        TARGETS[target](data)
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/fuzz/" not in frame.filename]
        last = frames[-1] if frames else None
        return f"{type(error).__name__} {last and (last.filename, last.lineno)} {str(error)[:12]}"
    return None


def minimised(target: str, data: bytes) -> bytes:
    """The input without all that it does not need."""
    wanted = signature(target, data)
    if wanted is None:
        raise SystemExit("nothing is raised")
    for pattern in (re.compile(rb"[^;]*;?"), re.compile(rb"[^\n]*\n?"), TOKEN, re.compile(b".", re.DOTALL)):
        parts = [part for part in pattern.findall(data) if part]
        size = max(len(parts) // 2, 1)
        while size:
            at = 0
            while at < len(parts):
                fewer = parts[:at] + parts[at + size :]
                if signature(target, b"".join(fewer)) == wanted:
                    parts = fewer
                else:
                    at += size
            size //= 2
        data = b"".join(parts)
    return data


if __name__ == "__main__":
    sys.stdout.buffer.write(minimised(sys.argv[1], Path(sys.argv[2]).read_bytes()))
