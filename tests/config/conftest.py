"""A folder to write tenants into."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from epl.diagnostics import Diagnostic, InvalidInput
from runtime.config import TenantConfig, load_tenant
from runtime.rules import TenantChecker

RULE_FILES = ("controller.epl", "session.epl", "cart.epl")
MODULES = {
    "shop_functions.py": """
from epl.extend import function

@function(examples={"half(3.0)": 1.5})
def half(x: float) -> float:
    \"\"\"Half of a number.\"\"\"
    return x / 2
""",
    "shop_functions_again.py": "from shop_functions import half\n",
    "shop_wrong.py": """
from epl.extend import function

@function(examples={"half(3.0)": 1.4})
def half(x: float) -> float:
    \"\"\"Half of a number.\"\"\"
    return x / 2
""",
}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], TenantConfig]:
    """Loads a text as the `sessionizer.yaml` of the tenant `shop` in the working folder, beside empty rule files."""
    monkeypatch.chdir(tmp_path)
    folder = Path("shop")
    folder.mkdir()
    for name in RULE_FILES:
        (folder / name).write_text("")
    for name, source in MODULES.items():
        (folder / name).write_text(source)

    def load_text(text: str) -> TenantConfig:
        (folder / "sessionizer.yaml").write_bytes(text.encode())
        return load_tenant(folder)

    return load_text


@pytest.fixture
def problems_of(load: Callable[[str], TenantConfig]) -> Callable[[str], list[Diagnostic]]:
    """The problems of a text and of its rules, none when both are sound."""

    def found(text: str) -> list[Diagnostic]:
        try:
            return TenantChecker(load(text)).diagnostics
        except InvalidInput as invalid:
            return list(invalid.diagnostics)

    return found
