"""The versions of a tenant's rules: copies of what each was made of, for going back and for going on after a restart.

`STATE/versions/TENANT/NUMBER/` is a tenant's folder like any other, so that it can be linted, replayed and planned
with. Rule files that the YAML names by a path out of its folder are in `.outside`, and `.version.json` says which is
which, and what each file was called, so that what is found in rules is reported as the user knows them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import msgspec

from epl.source import Source
from runtime.config import YAML_NAME, TenantConfig, read_tenant
from runtime.disk import sync
from runtime.lint_toml import TOML_NAME, toml_file_for
from runtime.rules import TenantRules, compile_tenant

_ABOUT = ".version.json"
_OUTSIDE = ".outside"
_PART = ".part"


class VersionError(Exception):
    """A version that is not there, or cannot be kept or used; the message says why."""


class _File(msgspec.Struct, frozen=True):
    """A rule file: the name that people know it by, and where it is below the version's folder."""

    name: str
    file: str


class Version(msgspec.Struct, frozen=True):
    """What is known of a version without reading its rules. `digest` tells whether another has the same content.

    `yaml` is the YAML's name as people know it, `files` has the rule files by the names that the YAML gives them.
    """

    number: int
    made_ms: int
    digest: str
    yaml: str
    files: dict[str, _File]


class Versions:
    """The versions of one tenant below the folder of state. `keep` is how many there are at most.

    Those that somebody has pinned stay besides: what runs, and what a snapshot or a log goes by.
    """

    def __init__(self, state: Path, tenant: str, keep: int) -> None:
        name = quote(tenant, safe=" ")
        # A name of dots alone would be another folder.
        self.folder = state / "versions" / (f"%2E{name[1:]}" if name.startswith(".") else name)
        self._pinned: dict[str, set[int]] = {}
        self._state = state
        self._keep = keep

    def pin(self, by: str, *numbers: int) -> None:
        """Keeps these versions for somebody, and no others for the same one."""
        self._pinned[by] = set(numbers)

    def numbers(self) -> list[int]:
        """The numbers of all versions, the oldest first. Raises VersionError."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise VersionError(f"{self.folder}: {error.strerror}") from error
        return sorted(int(name) for name in names if name.isascii() and name.isdecimal())

    def add(self, config: TenantConfig, now_ms: int) -> int:
        """Keeps what a configuration was read from; its number, which is the newest's where that is the same.

        Numbers are counted from 1 and not used again. Raises VersionError; the others are then as they were.
        """
        try:
            contents = self._all_of(config)
            digest = _digest(contents)
            numbers = self.numbers()
            if numbers and self.about(numbers[-1]).digest == digest:
                return numbers[-1]
            number = numbers[-1] + 1 if numbers else 1
            files = {
                name: _File(source.name, _place(name, position))
                for position, (name, source) in enumerate(config.files.items(), 1)
            }
            about = Version(number, now_ms, digest, config.source.name, files)
            self._write(number, {**contents, _ABOUT: msgspec.json.encode(about)})
        except OSError as error:
            raise VersionError(f"{self.folder}: the version was not kept: {error.strerror or error}") from error
        self.forget()
        return number

    def adopt(self, number: int, folder: Path) -> None:
        """Keeps a copy of a version that another process has kept in a folder, by its number there.

        Raises VersionError.
        """
        if number in self.numbers():
            return
        try:
            files = (path for path in folder.rglob("*") if path.is_file())
            self._write(number, {str(path.relative_to(folder)): path.read_bytes() for path in files})
        except OSError as error:
            raise VersionError(f"{self.folder}: the version was not kept: {error.strerror or error}") from error

    def has_same(self, number: int, config: TenantConfig) -> bool:
        """True when a version is what a configuration was read from. Raises VersionError."""
        try:
            return self.about(number).digest == _digest(self._all_of(config))
        except OSError as error:
            raise VersionError(f"{error.filename}: {error.strerror or error}") from error

    def about(self, number: int) -> Version:
        """What is known of a version. Raises VersionError."""
        file = self.folder / str(number) / _ABOUT
        try:
            return msgspec.json.decode(file.read_bytes(), type=Version)
        except FileNotFoundError:
            raise VersionError(f"there is no version {number}") from None
        except (OSError, msgspec.MsgspecError) as error:
            raise VersionError(f"version {number} cannot be read: {file}: {error}") from error

    def read(self, number: int) -> TenantConfig:
        """The configuration of a version. Raises VersionError, and InvalidInput where this Sojourn reads it otherwise.

        Sources have the names that they had; modules are the ones that were kept.
        """
        about = self.about(number)
        folder = self.folder / str(number)
        try:
            source = Source(about.yaml, _text(folder / YAML_NAME))
            kept = {name: Source(each.name, _text(folder / each.file)) for name, each in about.files.items()}
        except (OSError, UnicodeDecodeError) as error:
            raise VersionError(f"version {number} cannot be read: {error}") from error
        return read_tenant(folder, source, kept)

    def load(self, number: int) -> TenantRules:
        """The compiled rules of a version. Raises VersionError and InvalidInput as `read`."""
        return compile_tenant(self.read(number))

    def _all_of(self, config: TenantConfig) -> dict[str, bytes]:
        """All files of a version by their place in its folder."""
        return {**dict(_beside(config, self._state)), **dict(_contents(config))}

    def _write(self, number: int, contents: dict[str, bytes]) -> None:
        """Makes a version's folder, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{number}{_PART}"
        shutil.rmtree(part, ignore_errors=True)
        try:
            for name, data in contents.items():
                file = part / name
                file.parent.mkdir(parents=True, exist_ok=True)
                with file.open("wb") as opened:
                    opened.write(data)
                    opened.flush()
                    os.fsync(opened.fileno())
            part.rename(self.folder / str(number))
            sync(self.folder)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def forget(self) -> None:
        """Removes the oldest that are too many, and of no use to anybody. Raises VersionError."""
        pinned = set[int]().union(*self._pinned.values())
        for number in self.numbers()[: -self._keep]:
            if number not in pinned:
                shutil.rmtree(self.folder / str(number), ignore_errors=True)


def _contents(config: TenantConfig) -> Iterator[tuple[str, bytes]]:
    """The YAML and the rule files, as they were read: what runs is what is kept, whatever has been saved since."""
    yield YAML_NAME, config.source.text.encode()
    for position, (name, source) in enumerate(config.files.items(), 1):
        yield _place(name, position), source.text.encode()


def _place(name: str, position: int) -> str:
    """Where a rule file goes: to the same place, unless that is out of the folder or taken."""
    place = os.path.normpath(name)
    is_inside = not os.path.isabs(place) and place.split(os.sep)[0] != ".."
    is_taken = place in (YAML_NAME, TOML_NAME, _ABOUT) or place.startswith(_OUTSIDE) or place.endswith(".py")
    return place if is_inside and not is_taken else f"{_OUTSIDE}/{position}.epl"


def _beside(config: TenantConfig, state: Path) -> Iterator[tuple[str, bytes]]:
    """The modules that `imports` finds beside the rules, with all that may belong to them, and lint's settings."""
    toml = toml_file_for(config.folder)
    if toml is not None:
        yield TOML_NAME, toml.read_bytes()
    names = {each.module.partition(".")[0] for each in config.imports}
    own = {path.stem for path in config.folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    if names & own:
        yield from _modules(config.folder, state)


def _modules(root: Path, state: Path) -> Iterator[tuple[str, bytes]]:
    """Each module below a folder, and all files of packages: they may import one another, and read what they bring.

    Not those in the folder of state, should that be below: there are copies of copies.
    """
    seen = {os.path.realpath(state)}
    for folder, folders, files in os.walk(root, followlinks=True):
        seen.add(os.path.realpath(folder))
        folders[:] = [
            name
            for name in sorted(folders)
            if not name.startswith((".", "__pycache__")) and os.path.realpath(os.path.join(folder, name)) not in seen
        ]
        is_package = "__init__.py" in files
        for name in sorted(files):
            file = Path(folder, name)
            if not name.startswith(".") and (is_package or name.endswith(".py")) and file.is_file():
                yield str(file.relative_to(root)), file.read_bytes()


def _digest(contents: dict[str, bytes]) -> str:
    digest = sha256()
    for name, data in sorted(contents.items()):
        digest.update(f"{len(name)} {len(data)} {name}".encode())
        digest.update(data)
    return digest.hexdigest()


def _text(file: Path) -> str:
    """A text as it was kept: line ends and marks were gone by then."""
    return file.read_bytes().decode()
