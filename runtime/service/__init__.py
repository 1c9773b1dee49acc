"""Sessions as events come: a process that takes events over the network and can be watched while it does."""

from runtime.service.connect import CannotConnect
from runtime.service.layout import StateTaken
from runtime.service.log import StateDamaged
from runtime.service.run import run
from runtime.service.service import Service
from runtime.service.spans import NoTelemetry
from runtime.service.web import CannotListen

__all__ = [
    "CannotConnect",
    "CannotListen",
    "NoTelemetry",
    "Service",
    "StateDamaged",
    "StateTaken",
    "run",
]
