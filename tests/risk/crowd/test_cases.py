"""Public signals, parameters and commands."""

import datetime as dt
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from common.web.problems import Invalid
from risk.crowd.cases import NewSignal, default_signal, record_public_signals, signals_of
from risk.crowd.parameters import parameters_in_force, record_parameters, settle_parameters
from risk.crowd.refresh import refresh_crowd
from risk.model.parameters import Adaptive
from risk.models import CrowdClock, ParameterSet, PublicSignal
from risk.shield.answer import shield_of
from tests.factories import NOW, make_venue
from tests.risk.crowds import crowd, stay

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def record(region: str, week: dt.date, share: float) -> None:
    record_public_signals(signals=[NewSignal(region, week, share, "test")], now=NOW)


def test_the_place_goes_before_its_state_and_the_state_before_the_default() -> None:
    record("CA", TODAY, 0.002)
    record("941", TODAY - dt.timedelta(weeks=1), 0.003)
    found = signals_of([("941", TODAY), ("900", TODAY), ("100", TODAY), ("", TODAY)])
    shares = {zip3: signal.known_active_per_person for (zip3, _day), signal in found.items()}
    default = default_signal().known_active_per_person
    assert shares == {"941": 0.003, "900": 0.002, "100": default, "": default}


def test_old_and_future_numbers_say_nothing() -> None:
    record("CA", TODAY + dt.timedelta(weeks=1), 0.5)
    record("CA", TODAY - dt.timedelta(weeks=7), 0.4)
    assert signals_of([("941", TODAY)])["941", TODAY] == default_signal()


def test_a_later_number_of_the_same_week_replaces_the_earlier() -> None:
    record("CA", TODAY, 0.002)
    record("CA", TODAY + dt.timedelta(days=1), 0.004)
    assert PublicSignal.objects.get().known_active_per_person == 0.004


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_impossible_numbers_store_nothing(share: float) -> None:
    good = NewSignal("CA", TODAY, 0.1, "test")
    with pytest.raises(Invalid) as caught:
        record_public_signals(signals=[good, NewSignal("XX", TODAY, share, "")], now=NOW)
    assert {error.pointer for error in caught.value.errors} == {
        "/1/region",
        "/1/known_active_per_person",
        "/1/source",
    }
    assert not PublicSignal.objects.exists()


def test_a_series_is_imported_whole_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text("region,week,known_active_per_person,source\nCA,2026-05-11,0.001,health office\n")
    call_command("import-series", file, stdout=StringIO())
    assert PublicSignal.objects.get().source == "health office"
    file.write_text("region,week,known_active_per_person,source\nNY,2026-05-11,0.1,x\nNY,2026-05-11,seven,x\n")
    with pytest.raises(CommandError, match="row 3: known_active_per_person 'seven' is not a number"):
        call_command("import-series", file)
    assert PublicSignal.objects.count() == 1


def test_changed_parameters_recompute_crowd_state() -> None:
    venue = make_venue()
    crowd(venue, 3)
    refresh_crowd(now=NOW)
    assert refresh_crowd(now=NOW).venues == 0
    row = record_parameters(adaptive=Adaptive(dose_scale=2.0), reason="test", actor="operator", now=NOW)
    assert parameters_in_force().version == row.version
    assert refresh_crowd(now=NOW).venues == 1
    assert CrowdClock.objects.get().parameters == row.version
    assert refresh_crowd(now=NOW).venues == 0


def test_a_shield_names_the_version_it_uses_and_follows_it() -> None:
    venue = make_venue(volume_m3=200.0)
    crowd(venue, 12)
    me = stay(venue)
    refresh_crowd(now=NOW)
    before = shield_of(owners=[me.owner], budget=0.001, now=NOW)
    row = record_parameters(adaptive=Adaptive(dose_scale=2.0), reason="test", actor="operator", now=NOW)
    refresh_crowd(now=NOW)
    after = shield_of(owners=[me.owner], budget=0.001, now=NOW)
    assert before.parameters != after.parameters == row.version
    assert before.spent < after.spent < 2.1 * before.spent
    record_parameters(adaptive=Adaptive(), reason="back", actor="operator", now=NOW)
    refresh_crowd(now=NOW)
    assert shield_of(owners=[me.owner], budget=0.001, now=NOW) == before


def test_parameters_are_recorded_once_while_nothing_changes() -> None:
    assert settle_parameters(now=NOW) == settle_parameters(now=NOW)
    assert ParameterSet.objects.count() == 1


def test_room_scenarios_are_filled_in_to_a_millionth() -> None:
    given = Path(__file__).parents[2] / "data" / "room_concentration.json"
    out = StringIO()
    call_command("room", given, stdout=out)
    key = "integrated_concentration_per_unit_emission_h_per_m3"
    for wanted, got in zip(
        json.loads(given.read_text())["scenarios"], json.loads(out.getvalue())["scenarios"], strict=True
    ):
        for one, other in zip(wanted["visits"], got["visits"], strict=True):
            assert other[key] == pytest.approx(one[key], rel=1e-6, abs=1e-15)


def test_commands_run() -> None:
    crowd(make_venue(), 2)
    for name in ("crowd", "estimate", "recompute"):
        out = StringIO()
        call_command(name, stdout=out)
        assert json.loads(out.getvalue())
