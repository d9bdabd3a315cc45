"""A dump preserves the order of rows; that of a backup reveals no actions."""

import random
from pathlib import Path
from typing import Any

import pytest

from exports.backup.make import back_up
from passes.services.mixing import mix_rows
from tests.adversaries.test_neighbourhood import one_day
from tests.factories import NOW

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_backup_at_any_time_has_mixed_rows(deployment: None, settings: Any, tmp_path: Path) -> None:
    """`tests/adversaries/test_neighbourhood.py` shows what the order of rows reveals before and after mixing."""
    one_day(5, random.Random(8))
    back_up(folder=tmp_path / "backup", secrets=None, now=NOW)
    assert set(mix_rows().values()) == {0}
