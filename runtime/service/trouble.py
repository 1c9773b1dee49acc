"""What goes wrong between here and another server: counted, and told once when it begins and once when it is over."""

from __future__ import annotations

import logging

from runtime.service.delivery import Health


class Trouble:
    """Keeps a `Health`, and logs what changes; `kind` and `name` say whose it is. For any thread."""

    def __init__(self, log: logging.Logger, kind: str, name: str) -> None:
        self.health = Health()
        self._log = log
        self._about = {kind: name}

    def failed(self, problem: str) -> None:
        """It is not as it should be."""
        if self.health.problem is None:
            self._log.warning("there is trouble", extra={"incident": {**self._about, "problem": problem}})
        self.health.failed(problem)

    def went_well(self) -> None:
        """It is as it should be."""
        if self.health.problem is not None:
            self._log.info("the trouble is over", extra={"incident": self._about})
        self.health.went_well()
