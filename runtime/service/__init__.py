"""Sessions as events come: a process that takes events over the network and can be watched while it does."""

from runtime.service.connect import CannotConnect
from runtime.service.run import run
from runtime.service.service import Service, StateTaken
from runtime.service.web import CannotListen

__all__ = ["CannotConnect", "CannotListen", "Service", "StateTaken", "run"]
