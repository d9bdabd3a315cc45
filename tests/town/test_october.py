"""The sixteen published days of a demonstration, and what happens when somebody simulates a town on them."""

import datetime as dt
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import override_settings

from crowdtrace.town import october
from embedded.home import CHECKOUT
from exports.engine.run import run_query
from exports.models import PassPool, Release, ServedDay, Step
from exports.release.closed_days import waiting_days
from tests.exports.conftest import catalogue_url, deployment, folder  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("deployment")]
NOW = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)


def rows_of(name: str) -> list[Any]:
    sql = (CHECKOUT / "exports" / "queries" / f"{name}.sql").read_text()
    return list(run_query(sql=sql).result.table.to_pylist())


@pytest.mark.long
def test_they_answer_both_published_queries_and_give_way_to_a_town_of_ones_own(tmp_path: Path) -> None:
    assert october.ensure_october(now=NOW)
    assert not october.ensure_october(now=NOW)
    daily = rows_of("daily_counts")
    assert len(daily) == 15
    assert all(row["total_count"] > 5000 for row in daily)
    assert len({row["state"] for row in rows_of("counts_by_state_and_risklevel")}) > 3
    held = Release.objects.filter(step=Step.ANNOUNCED)
    assert held.count() == 16
    assert all(release.manifest["simulated"] for release in held)
    assert all(release.manifest["code"]["crowdtrace"] for release in held)
    assert waiting_days(now=NOW) == []

    options = {"visitors": 60, "venues": 17, "days": 3, "seed": 4, "start": dt.date(2020, 10, 2)}
    call_command("simulate", "--release", f"--truth-out={tmp_path / 'truth'}", stdout=StringIO(), **options)
    days = set(Release.objects.filter(step=Step.ANNOUNCED).values_list("day", flat=True))
    assert days == {dt.date(2020, 10, 2), dt.date(2020, 10, 3), dt.date(2020, 10, 4)}
    assert set(ServedDay.objects.values_list("day", flat=True)) == days
    assert all(row["total_count"] < 2000 for row in rows_of("daily_counts"))
    assert not PassPool.objects.exclude(published_in=None).exists()
    job = {file["name"] for release in Release.objects.all() for file in release.manifest["files"]}
    assert not any("demonstration" in name for name in job)


def test_it_is_for_a_demonstration_alone() -> None:
    with override_settings(EMBEDDED=False), pytest.raises(CommandError, match="embedded mode"):
        call_command("october")
