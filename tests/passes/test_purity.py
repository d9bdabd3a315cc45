"""The pass protocol runs without the web framework: in a kiosk, a notebook, another server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "module",
    [
        "passes.codec",
        "passes.codec.identity",
        "passes.codec.tickets",
        "passes.admission",
        "passes.ledger",
        "passes.codec.epochs",
        "passes.render",
    ],
)
def test_a_pure_module_loads_no_framework(module: str) -> None:
    script = f"import sys, {module}; print(sorted({{name.split('.')[0] for name in sys.modules}}))"
    root = Path(__file__).parents[2]
    loaded = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True).stdout
    assert not {"'django'", "'rest_framework'", "'celery'", "'psycopg'"} & set(loaded.strip("[]\n").split(", "))
    assert "'passes'" in loaded
