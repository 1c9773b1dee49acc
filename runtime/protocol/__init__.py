"""What a service says over HTTP: its operations, the shapes of what they give, and their description as OpenAPI."""

from runtime.protocol.openapi import described
from runtime.protocol.operations import INGEST, MONITOR, Operation, Parameter, Port

__all__ = ["INGEST", "MONITOR", "Operation", "Parameter", "Port", "described"]
