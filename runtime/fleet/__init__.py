"""Several processes that serve the same tenants: each owns some of the keys, and one in front owns what listens."""

from runtime.fleet.front import Front, WorkersCannotBegin

__all__ = ["Front", "WorkersCannotBegin"]
