"""What modules add to the language, for the commands that show its functions and annotations."""

from __future__ import annotations

from epl.diagnostics import InvalidInput, Problems
from epl.extend import Extension
from epl.source import Source
from runtime.config import load_tenant
from runtime.extensions import installed_extensions, load_extensions
from runtime.presets import resolve

PROFILE_HELP = "A tenant, whose imports add to the language."


def added_by(profile: str | None) -> tuple[Extension, ...]:
    """What installed packages add, and the imports of a tenant if one is named. Raises InvalidInput."""
    config = None if profile is None else load_tenant(resolve(profile))
    problems = Problems(Source("installed packages", "") if config is None else config.source)
    extensions = installed_extensions(problems) if config is None else load_extensions(config, problems)
    if problems.has_errors:
        raise InvalidInput(problems)
    return extensions.added
