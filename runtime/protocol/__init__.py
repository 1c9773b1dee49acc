"""What a service says over HTTP: its operations, the shapes of what they give, and their description as OpenAPI."""

from runtime.protocol.openapi import described
from runtime.protocol.operation import Operation, Parameter, Port
from runtime.protocol.operations import INGEST, MONITOR

__all__ = ["INGEST", "MONITOR", "Operation", "Parameter", "Port", "described"]
