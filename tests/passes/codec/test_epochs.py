"""Epochs at the edges of calendars: daylight saving, midnight, new year, skipped days."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.days import first_instant, last_begun_day
from passes.codec.epochs import Epoch, EpochCalendar, epoch_end, last_ended_day

HOUR = 3600
NEW_YORK = EpochCalendar(ZoneInfo("America/New_York"))
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana"]
calendars = st.sampled_from([EpochCalendar(ZoneInfo(name)) for name in ZONES])
moments = st.integers(1_577_836_800, 2_208_988_800)  # 2020 to 2040


def at(calendar: EpochCalendar, *parts: int, fold: int = 0) -> int:
    """Return Unix seconds of a wall clock."""
    year, month, day, hour, minute = (*parts, 0, 0)[:5]
    return int(dt.datetime(year, month, day, hour, minute, tzinfo=calendar.zone, fold=fold).timestamp())


def dates(epochs: tuple[Epoch, ...]) -> list[str]:
    return [epoch.date.strftime("%m-%d") for epoch in epochs]


def test_an_epoch_starts_at_local_midnight_and_lasts_28_hours() -> None:
    epoch = NEW_YORK.epoch_of(dt.date(2025, 11, 23))
    assert epoch.start == 1763874000  # 05:00 UTC, as in the second vector
    assert epoch.end - epoch.start == 28 * HOUR


def test_two_epochs_live_until_four_in_the_morning() -> None:
    midnight = at(NEW_YORK, 2026, 7, 4)
    assert dates(NEW_YORK.live_epochs(midnight - 1)) == ["07-03"]
    assert dates(NEW_YORK.live_epochs(midnight)) == ["07-03", "07-04"]
    assert dates(NEW_YORK.live_epochs(midnight + 4 * HOUR - 1)) == ["07-03", "07-04"]
    assert dates(NEW_YORK.live_epochs(midnight + 4 * HOUR)) == ["07-04"]


def test_two_epochs_are_open_on_an_ordinary_day() -> None:
    midnight = at(NEW_YORK, 2026, 7, 4)
    assert dates(NEW_YORK.open_epochs(midnight - 1)) == ["07-03", "07-04"]
    assert dates(NEW_YORK.open_epochs(midnight)) == ["07-04", "07-05"]


def test_three_epochs_are_open_for_an_hour_before_a_day_of_23_hours() -> None:
    midnight = at(NEW_YORK, 2026, 3, 8)
    assert dates(NEW_YORK.open_epochs(midnight - HOUR - 1)) == ["03-07", "03-08"]
    assert dates(NEW_YORK.open_epochs(midnight - HOUR)) == ["03-07", "03-08", "03-09"]
    assert dates(NEW_YORK.open_epochs(midnight - 1)) == ["03-07", "03-08", "03-09"]
    assert dates(NEW_YORK.open_epochs(midnight)) == ["03-08", "03-09"]


def test_one_epoch_is_open_in_the_first_hour_of_a_day_of_25_hours() -> None:
    midnight = at(NEW_YORK, 2026, 11, 1)
    assert dates(NEW_YORK.open_epochs(midnight)) == ["11-01"]
    assert dates(NEW_YORK.open_epochs(midnight + HOUR)) == ["11-01", "11-02"]


def test_28_hours_end_an_hour_later_or_earlier_when_the_clock_changes() -> None:
    spring, autumn = (NEW_YORK.epoch_of(dt.date(2026, *day)) for day in ((3, 8), (11, 1)))
    assert spring.end == at(NEW_YORK, 2026, 3, 9, 5)
    assert autumn.end == at(NEW_YORK, 2026, 11, 2, 3)


def test_new_year_is_a_midnight_like_any_other() -> None:
    midnight = at(NEW_YORK, 2027, 1, 1)
    assert [epoch.date.year for epoch in NEW_YORK.live_epochs(midnight)] == [2026, 2027]
    assert [epoch.date.year for epoch in NEW_YORK.open_epochs(midnight - 1)] == [2026, 2027]


def test_a_day_whose_midnight_is_skipped_starts_when_the_gap_ends() -> None:
    cairo = EpochCalendar(ZoneInfo("Africa/Cairo"))
    epoch = cairo.epoch_of(dt.date(2024, 4, 26))  # 00:00 became 01:00
    assert epoch.start == at(cairo, 2024, 4, 26, 1)
    assert cairo.current(epoch.start) == epoch
    assert cairo.current(epoch.start - 1).date == dt.date(2024, 4, 25)


def test_a_day_with_two_midnights_starts_at_the_first() -> None:
    havana = EpochCalendar(ZoneInfo("America/Havana"))
    epoch = havana.epoch_of(dt.date(2024, 11, 3))  # 01:00 became 00:00
    assert epoch.start == at(havana, 2024, 11, 3) == at(havana, 2024, 11, 3, fold=1) - HOUR


def test_a_day_that_the_zone_skipped_is_no_epoch() -> None:
    apia = EpochCalendar(ZoneInfo("Pacific/Apia"))
    with pytest.raises(ValueError, match="no such day"):
        apia.epoch_of(dt.date(2011, 12, 30))
    before = apia.epoch_of(dt.date(2011, 12, 29))
    assert apia.following(before).date == dt.date(2011, 12, 31)
    assert dates(apia.open_epochs(before.start)) == ["12-29", "12-31"]


def test_hours_after_midnight_belong_to_the_evening() -> None:
    epoch = NEW_YORK.epoch_of(dt.date(2026, 7, 3))
    hours = [NEW_YORK.dataset_hour(epoch, epoch.start + hour * HOUR) for hour in (0, 9, 23, 24, 27)]
    assert hours == [0, 9, 23, 23, 23]


def test_a_repeated_hour_counts_under_the_same_number() -> None:
    epoch = NEW_YORK.epoch_of(dt.date(2026, 11, 1))
    hours = [NEW_YORK.dataset_hour(epoch, at(NEW_YORK, 2026, 11, 1, 1, 30, fold=fold)) for fold in (0, 1)]
    assert hours == [1, 1]


@given(calendar=calendars, now=moments)
def test_the_current_epoch_is_open_live_and_found_by_its_start(calendar: EpochCalendar, now: int) -> None:
    epoch = calendar.current(now)
    assert epoch.start <= now < calendar.following(epoch).start
    assert epoch in calendar.open_epochs(now)
    assert epoch in calendar.live_epochs(now)
    assert calendar.epoch_starting(epoch.start) == epoch
    assert calendar.epoch_starting(epoch.start + 1) is None


@given(calendar=calendars, now=moments)
def test_one_to_three_epochs_are_open_and_one_or_two_live(calendar: EpochCalendar, now: int) -> None:
    assert 1 <= len(calendar.open_epochs(now)) <= 3
    assert 1 <= len(calendar.live_epochs(now)) <= 2


@given(calendar=calendars, now=moments)
def test_keys_are_published_for_what_is_open_or_live(calendar: EpochCalendar, now: int) -> None:
    published = calendar.unfinished_epochs(now)
    assert set(published) == set(calendar.open_epochs(now)) | set(calendar.live_epochs(now))
    assert list(published) == sorted(published)


@given(start=st.integers(-(2**70), 2**70))
def test_any_number_may_be_asked_for_as_a_start(start: int) -> None:
    epoch = NEW_YORK.epoch_starting(start)
    assert epoch is None or epoch.start == start


def utc(year: int, month: int, day: int, hour: int) -> dt.datetime:
    """Return a time in UTC."""
    return dt.datetime(year, month, day, hour, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("America/New_York", dt.date(2026, 3, 8), utc(2026, 3, 9, 9)),  # 23 hours: ends at 05:00 by the clock
        ("America/New_York", dt.date(2026, 11, 1), utc(2026, 11, 2, 8)),  # 25 hours: ends at 03:00
        ("Asia/Beirut", dt.date(2026, 3, 29), utc(2026, 3, 30, 2)),  # midnight is skipped
        ("UTC", dt.date(2026, 12, 31), utc(2027, 1, 1, 4)),
    ],
)
def test_the_last_ended_day_changes_when_an_epoch_ends(zone: str, day: dt.date, end: dt.datetime) -> None:
    assert epoch_end(day, ZoneInfo(zone)) == end
    assert last_ended_day(end, ZoneInfo(zone)) == day
    assert last_ended_day(end - dt.timedelta(seconds=1), ZoneInfo(zone)) == day - dt.timedelta(days=1)


def test_a_clock_that_goes_back_over_midnight_does_not_take_a_begun_day_back() -> None:
    zone, day = ZoneInfo("America/St_Johns"), dt.date(2010, 11, 7)  # at 00:01 it was 23:01 of the day before again
    begun = first_instant(day, zone)
    for minutes in (0, 1, 30, 90):
        assert last_begun_day(begun + dt.timedelta(minutes=minutes), zone) == day
    assert last_begun_day(begun - dt.timedelta(seconds=1), zone) == day - dt.timedelta(days=1)


@given(calendar=calendars, second=moments)
def test_the_ends_of_epochs_are_those_of_the_calendar(calendar: EpochCalendar, second: int) -> None:
    epoch = calendar.current(second)
    assert epoch_end(epoch.date, calendar.zone).timestamp() == epoch.end
    assert last_ended_day(dt.datetime.fromtimestamp(epoch.end, dt.UTC), calendar.zone) == epoch.date
