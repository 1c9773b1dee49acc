"""Tenants are found by their YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from epl.diagnostics import InvalidInput
from runtime.config import find_tenants


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("b", "a/deep", "a/deep/inner", ".hidden", "empty"):
        (tmp_path / folder).mkdir(parents=True)
        if folder != "empty":
            (tmp_path / folder / "sessionizer.yaml").touch()
    return tmp_path


def test_a_folder_of_tenants(root: Path) -> None:
    assert find_tenants(root) == [root / "a/deep", root / "b"]


def test_a_tenant_is_itself(root: Path) -> None:
    assert find_tenants(root / "b") == [root / "b"]
    assert find_tenants(root / "b/sessionizer.yaml") == [root / "b/sessionizer.yaml"]


def test_a_folder_without_tenants(root: Path) -> None:
    assert find_tenants(root / "empty") == []


def test_no_folder(root: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file or folder"):
        find_tenants(root / "gone")
