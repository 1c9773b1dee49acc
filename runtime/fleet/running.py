"""Which rules all workers run, and which they run beside them: the front's own copies, noted for the next start."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runtime.config.service import ServiceConfig
from runtime.rules import TenantRules
from runtime.service.layout import Layout
from runtime.service.reload import History
from runtime.service.versions import Versions


class Running:
    """Which rules run: by tenant a version that is kept, noted in the folder of state. Raises VersionError, OSError.

    `rules` has those that run by tenant, `wanted` the version of those that were given, which a start goes over to;
    `shadows` the version that all workers have begun to run beside them, where there is one.
    """

    def __init__(
        self, given: Sequence[TenantRules], config: ServiceConfig, state: Path, layout: Layout, now_ms: int
    ) -> None:
        self._state = state
        self._workers = layout.workers
        self.versions: dict[str, int] = {}
        self.wanted: dict[str, int] = {}
        self.shadows: dict[str, int] = {}
        self.rules: dict[str, TenantRules] = {}
        self.histories: dict[str, History] = {}
        for rules in given:
            name = rules.config.tenant
            kept = Versions(state, name, config.versions_kept)
            runs = layout.versions.get(name)
            if runs is not None:
                kept.pin("running", runs)
            self.wanted[name] = kept.add(rules.config, now_ms)
            self.versions[name] = self.wanted[name] if runs is None else runs
            kept.pin("running", self.versions[name])
            self.rules[name] = rules if self.versions[name] == self.wanted[name] else kept.load(self.versions[name])
            self.histories[name] = History(Path(rules.config.source.name), kept)
        self.note()

    def note(self) -> None:
        """Writes down which versions run. Raises OSError."""
        Layout(self._workers, self.versions).write(self._state)

    def folders(self) -> dict[str, tuple[int, Path]]:
        """By tenant the version that runs, and where it is kept."""
        return {name: (number, self.folder(name, number)) for name, number in self.versions.items()}

    def folder(self, name: str, number: int) -> Path:
        """Where a version of a tenant's rules is kept."""
        return self.histories[name].versions.folder / str(number)

    def begin_shadow(self, name: str, number: int) -> None:
        """A version runs beside a tenant's rules, and stays as long as it does."""
        self.shadows[name] = number
        self.histories[name].versions.pin("shadow", number)

    def end_shadow(self, name: str) -> None:
        """None does any more."""
        self.shadows.pop(name, None)
        self.histories[name].versions.pin("shadow")
