"""The tenants that Sojourn ships: found in the installed package, or beside it in a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from runtime.config import find_tenants


def presets_folder() -> Path | None:
    """The folder of shipped profiles, or None where an installation came without."""
    installed = Path(str(files("runtime"))) / "profiles"
    checkout = Path(str(files("runtime"))).parent / "profiles"
    return next((folder for folder in (installed, checkout) if folder.is_dir()), None)


def presets() -> dict[str, Path]:
    """Shipped tenants by name."""
    folder = presets_folder()
    return {} if folder is None else {found.name: found for found in find_tenants(folder)}


def resolve(profile: str) -> Path:
    """The folder or file that a PROFILE argument means: a path if there is one, else a shipped profile.

    A name that is neither comes back as a path; loading it says that it is not there.
    """
    path = Path(profile)
    if path.exists():
        return path
    shipped = presets().get(profile.removeprefix("profiles/"))
    return path if shipped is None else shipped
