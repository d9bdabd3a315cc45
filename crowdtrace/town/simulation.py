"""Simulate a town through the real services, day by day on its own clock; the truth goes to files."""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from django.contrib.auth.models import User
from django.db import connection, transaction

import embedded
from common.crypto import b64encode, new_token
from common.time import deployment_zone
from crowdtrace.town import example, nightly
from crowdtrace.town.demonstration import USERNAME, find_demonstration
from crowdtrace.town.example_key import SECRET
from crowdtrace.town.full_chain import FullChain, Outing
from crowdtrace.town.october import withdraw_october
from crowdtrace.town.past import Past
from crowdtrace.town.rows import Rows
from crowdtrace.town.venues import ACTOR, Place, make_places, organisations_of
from crowdtrace.town.world import truth
from crowdtrace.town.world.plan import TownPlan
from crowdtrace.town.world.streams import stream
from crowdtrace.town.world.town import Town, TownDay
from passes import bulk, keys, ticket_keys
from passes.clock import calendar, moment
from passes.codec import blind
from passes.codec.epochs import Epoch
from passes.codec.ticket_keys import TicketClass
from passes.limits import COUNTED_PASSES, EPOCH_SECONDS, UNMARKED_ONE_IN, VISIT_RETENTION
from passes.services.draws import forget_ended_day
from risk.crowd.answers import settle_answers
from risk.crowd.parameters import parameters_at_start
from risk.crowd.refresh import refresh_crowd
from risk.model.kinds import Kind
from risk.scouting.curves import refresh_cards
from venues.models import Organisation, Venue
from venues.services.accounts import sign_up

FULL_CHAIN_ONE_IN: Final = 100
SAMPLED_ONE_IN: Final = 20
"""For one in this many of the other visitors, the owners file has the owners of all passes."""
OWNER_BYTES: Final = 32
ANCHOR_BYTES: Final = 16
SECOND_US: Final = 1_000_000
NIGHT_AFTER: Final = dt.timedelta(hours=29)
"""Hour of the schedule's nightly work: after the day's passes have expired, 28 hours after the day began."""
CLOSING_NIGHTS: Final = 4
"""Nights after the last day until the last day is closed for late scans, plus one."""
DEMONSTRATION_DAYS: Final = 14
DEMONSTRATION_PAST: Final = dt.timedelta(weeks=5)
"""Days before those that leave rows: only statistics of venues remain of them, as of days after the purge."""
DEMONSTRATION_SEED: Final = 424_242


class SimulationRefused(ValueError):
    """The town cannot be simulated in this home; the text is a sentence."""


@dataclass(slots=True)
class SimulationSummary:
    """What was written. `owners`: of visitors whose passes the owners file has, person by person."""

    passes: int = 0
    scans: int = 0
    visits: int = 0
    ratings: int = 0
    infections: int = 0
    full_chain: int = 0
    owners: dict[int, list[bytes]] = field(default_factory=dict, repr=False)

    def add(self, written: bulk.Written) -> None:
        """Count what was written in bulk."""
        self.passes += written.passes
        self.scans += written.scans
        self.visits += written.visits
        self.ratings += written.ratings


def _nothing() -> None:
    """Show no progress."""


def simulate_demonstration_town(*, now: dt.datetime) -> SimulationSummary:
    """Simulate a small town that ends today, run by the demonstration's owner; write all of it or nothing.

    Its last 14 days leave rows, including those of the example visitor; venues have statistics of some more weeks.
    """
    rows_from = now.astimezone(deployment_zone()).date() - dt.timedelta(days=DEMONSTRATION_DAYS - 1)
    folder = embedded.home() / "simulation" / "demonstration"
    past = Past()
    with transaction.atomic():
        summary = simulate_town(
            plan=demonstration_plan(start=rows_from - DEMONSTRATION_PAST),
            owner=User.objects.get(username=USERNAME),
            label="Simulated",
            truth_folder=folder,
            now=now,
            past=past,
            rows_from=rows_from,
            secret=SECRET,
        )
    with connection.cursor() as cursor:
        # The planner still assumes that the tables are small, and would join thousands of rows one by one.
        cursor.execute("ANALYZE")
    refresh_crowd(now=now)  # for the example visitor's shield
    refresh_cards(now=now)  # the figures are added to these
    settle_answers(now=now)
    past.draw(now=now, likenesses=_likenesses())
    return summary


def _likenesses() -> dict[str, str]:
    """Return public ids of the demonstration's own venues, each with the town's first venue of the same kind.

    Their doors wait for the first real scan, but their cards and statistics have to show something.
    """
    organisation = find_demonstration()
    own = [] if organisation is None else list(organisation.venues.filter(closed_at=None).order_by("pk"))
    town = Venue.objects.filter(closed_at=None).exclude(pk__in=[venue.pk for venue in own]).order_by("-pk")
    of_kind = {venue.kind: venue.public_id for venue in town}
    return {venue.public_id: of_kind[venue.kind] for venue in own if venue.kind in of_kind}


def demonstration_plan(*, start: dt.date) -> TownPlan:
    """Return the plan of a first start: some of its places never close, so that it has a crowd in every time zone."""
    return TownPlan(
        visitors=1500,
        venues=18,
        days=DEMONSTRATION_PAST.days + DEMONSTRATION_DAYS,
        seed=DEMONSTRATION_SEED,
        start=start,
        first_infected=0.001,
        rating_share=0.6,
        all_day=(Kind.SUPERMARKET, Kind.TRANSPORT, Kind.RESTAURANT, Kind.RETAIL, Kind.MEDICAL),
        night_share=0.3,
        parameters=parameters_at_start(),
    )


def simulate_town(
    *,
    plan: TownPlan,
    owner: User,
    label: str,
    truth_folder: Path,
    now: dt.datetime,
    release: bool = False,
    step: Callable[[], None] = _nothing,
    past: Past | None = None,
    rows_from: dt.date = dt.date.min,
    secret: bytes | None = None,
) -> SimulationSummary:
    """Create the town and simulate its days up to `now`; call `step` after each venue and each day.

    With `release`, crowd state, purge and release run every night, as the schedule would run them. `past` gets every
    day; days before `rows_from` leave nothing else. `secret`: that of the most active visitor, who uses the whole
    protocol.
    """
    town = Town(plan)
    if Venue.objects.filter(public_id__in=town.venues.public_id).exists():
        raise SimulationRefused("This town already exists here; choose another seed.")
    withdraw_october(first=plan.start, last=plan.start + dt.timedelta(days=plan.days - 1))
    first = calendar().epoch_of(plan.start)
    opens = moment(first.checkin_opens) - dt.timedelta(hours=1)
    places = make_places(venues=town.venues, areas=town.areas, owner=owner, label=label, now=opens, step=step)
    writer = _Writer(town=town, places=places, now=now, secret=secret)
    clock = _Clock(organisations_of(places), now)
    visits, infections = [], []
    for number in range(plan.days):
        epoch = calendar().epoch_of(plan.start + dt.timedelta(days=number))
        if moment(epoch.start) > now:
            break
        day = town.next_day()
        if past is not None:
            past.add(epoch.date, writer.rows(day, epoch), town)
        if epoch.date < rows_from:
            continue
        owners = writer.write(day, epoch)
        visits.append(truth.visits_of(day, town) | {"owner": owners})
        infections.append(truth.infections_of(day))
        nightly.mark_served(days={epoch.date}, simulated=True)
        clock.set(moment(epoch.start) + NIGHT_AFTER)
        if release and clock.is_past:
            # The purge reads whole tables; before the first rows reach their retention it would find nothing.
            nightly.run_night(now=clock.time, purge=number >= VISIT_RETENTION.days)
        step()
    end = clock.stop_at(moment(epoch.end))
    if release:
        for night in range(1, CLOSING_NIGHTS + 1):
            later = end + night * dt.timedelta(days=1)
            if later <= now:
                nightly.run_night(now=later)
    tables = {
        "visits": truth.joined(visits),
        "infections": truth.joined(infections),
        "people": truth.people_of(town),
        "venues": truth.venues_of(town),
    }
    _write_truth(truth_folder, plan, tables)
    writer.summary.infections = int(tables["infections"]["person"].size)
    return writer.summary


def simulation_owner(*, now: dt.datetime) -> User:
    """Return the account that runs simulated venues; nobody knows its password."""
    found = User.objects.filter(username=ACTOR).first()
    return found or sign_up(username=ACTOR, password=new_token(), now=now)


def holds_more_than_the_demonstration() -> bool:
    """Return whether there is any organisation other than those of the demonstration's owner."""
    return Organisation.objects.exclude(memberships__user__username=USERNAME).exists()


class _Clock:
    """The town's clock, which purge reads from its organisations: null if the town ends in the present."""

    def __init__(self, organisations: list[int], now: dt.datetime) -> None:
        self._rows = Organisation.objects.filter(pk__in=organisations)
        self._now = now
        self.time = now

    @property
    def is_past(self) -> bool:
        return self.time <= self._now

    def set(self, time: dt.datetime) -> None:
        self.time = time
        self._rows.update(simulated_until=min(time, self._now))

    def stop_at(self, end: dt.datetime) -> dt.datetime:
        """Stop the clock: a town that ends today ages with the real clock; one in the past keeps the age of its end."""
        in_the_past = end <= self._now
        self.time = min(end, self._now)
        self._rows.update(simulated_until=end if in_the_past else None)
        return self.time


class _Writer:
    """Writes the days of one town: most passes in bulk, those of one visitor in a hundred through the full chain."""

    def __init__(self, *, town: Town, places: list[Place], now: dt.datetime, secret: bytes | None = None) -> None:
        self._town = town
        self._places = places
        self._now = int(now.timestamp())
        self._pair: ticket_keys.Pair | None = None
        self.summary = SimulationSummary()
        users = np.flatnonzero(town.people.has_app)
        chosen = stream(town.plan.seed, "sampled").permutation(users)
        # The example visitor uses the whole protocol; with one more person there are enough.
        whole = max(1, users.size // FULL_CHAIN_ONE_IN) if secret is None else 1
        secrets = {} if secret is None else {example.person_of(town): secret}
        self._chain = FullChain(seed=town.plan.seed, people=set(chosen[:whole].tolist()), secrets=secrets)
        sampled = chosen[: whole + users.size // SAMPLED_ONE_IN]
        self.summary.owners = {int(person): [] for person in np.sort(sampled)}
        self._ids = np.array([place.venue_id for place in places], np.int64)
        self._devices = np.array([place.device_id for place in places], np.int64)
        self._dwell_s = np.array([place.usual_dwell_s for place in places], np.int64)

    def rows(self, day: TownDay, epoch: Epoch) -> Rows:
        """Return the passes of a day, without those in the future."""
        return Rows.of(day, self._town, epoch, until=self._now)

    def write(self, day: TownDay, epoch: Epoch) -> npt.NDArray[np.object_]:
        """Write a day; return the owner of each stay's pass, `None` for people without the app and for future stays."""
        rows = self.rows(day, epoch)
        in_chain = np.isin(rows.person, sorted(self._chain.people))
        if in_chain.any() and keys.signer(epoch, moment(epoch.start)) is None:
            in_chain[:] = False  # the day was closed here, so its passes are no longer signed
        owners = np.full(day.stays.size, None, dtype=object)
        with transaction.atomic():  # a day is written whole or not at all
            self._write_bulk(day, epoch, rows.taken(~in_chain), owners)
            if in_chain.any():
                self._lend_keys(epoch)
                self._write_chain(day, epoch, rows.taken(in_chain), owners)
                ticket_keys.drop_closed(moment(self._now))
                if epoch.end <= self._now:
                    forget_ended_day(epoch.date)
        return owners

    def _lend_keys(self, epoch: Epoch) -> None:
        """Use lent ticket keys for a past day, whose own keys were dropped or never existed."""
        if calendar().checkin_closes(epoch) > self._now:
            ticket_keys.make_ticket_keys(moment(self._now))
            return
        if self._pair is None:
            self._pair = {each: blind.new_key() for each in TicketClass}
        ticket_keys.put_keys(epoch, self._pair)

    def _write_bulk(self, day: TownDay, epoch: Epoch, rows: Rows, owners: npt.NDArray[np.object_]) -> None:
        random = stream(self._town.plan.seed, "passes", day.number)
        n = rows.person.size
        anchor = np.frombuffer(random.bytes(n * ANCHOR_BYTES), np.uint8).reshape(n, ANCHOR_BYTES)
        drawn = [random.bytes(OWNER_BYTES) for _ in range(n)]
        hashes = b"".join(hashlib.sha256(owner).digest() for owner in drawn)
        written = bulk.write_day(
            bulk.Day(
                epoch=epoch,
                venue=self._ids[rows.venue],
                device=self._devices[rows.venue],
                anchor=anchor,
                owner_hash=np.frombuffer(hashes, np.uint8).reshape(n, OWNER_BYTES),
                answers=day.answers[rows.person],
                survey_seconds=rows.survey_seconds,
                go=rows.stay >= 0,
                refused_hour=np.minimum(rows.arrives_s // 3600, 23),
                counted=(rows.number < COUNTED_PASSES) & (random.integers(0, UNMARKED_ONE_IN, n) > 0),
                arrived_us=np.where(rows.stay >= 0, (epoch.start + rows.arrives_s) * SECOND_US, bulk.NOT_AT_ALL),
                approved=rows.stay >= 0,
                cause=np.full(n, ""),
                left_us=np.where(rows.leaves_s >= 0, (epoch.start + rows.leaves_s) * SECOND_US, bulk.NOT_AT_ALL),
                times_out_us=(epoch.start + self._times_out_s(day, rows)) * SECOND_US,
                masks=rows.masks,
                distancing=rows.distancing,
            ),
            keep_anchors=epoch.end > self._now,
        )
        self.summary.add(written)
        for row, owner in enumerate(drawn):
            self._remember(int(rows.person[row]), int(rows.stay[row]), owner, owners)

    def _write_chain(self, day: TownDay, epoch: Epoch, rows: Rows, owners: npt.NDArray[np.object_]) -> None:
        outings = [
            Outing(
                person=int(rows.person[row]),
                place=self._places[int(rows.venue[row])],
                arrives=epoch.start + int(rows.arrives_s[row]),
                leaves=epoch.start + int(rows.leaves_s[row]) if rows.leaves_s[row] >= 0 else None,
                answers=day.answers[rows.person[row]],
                survey_seconds=int(rows.survey_seconds[row]),
                masks=int(rows.masks[row]),
                distancing=int(rows.distancing[row]),
                stay=int(rows.stay[row]),
            )
            for row in range(rows.person.size)
        ]
        drawn = self._chain.live_day(epoch=epoch, outings=outings)
        for number, owner in sorted(drawn.items()):
            self._remember(outings[number].person, outings[number].stay, owner, owners)
        self.summary.full_chain += len(drawn)
        self.summary.passes += len(drawn)
        self.summary.visits += sum(outing.stay >= 0 for outing in outings)

    def _remember(self, person: int, stay: int, owner: bytes, owners: npt.NDArray[np.object_]) -> None:
        if stay >= 0:
            owners[stay] = owner
        if person in self.summary.owners:
            self.summary.owners[person].append(owner)

    def _times_out_s(self, day: TownDay, rows: Rows) -> npt.NDArray[np.int64]:
        """Return usual dwell or closing, like `passes.rules.end_of_stay`; hours are those of the deployment's days."""
        weekend = int(day.date.weekday() >= 5)
        venues = self._town.venues
        closes = venues.closes[rows.venue, weekend] * 60
        all_day = (venues.opens[rows.venue, weekend] == 0) & (closes >= 86_400)
        dwelt = np.minimum(rows.arrives_s + self._dwell_s[rows.venue], EPOCH_SECONDS)
        return np.asarray(np.where(all_day, dwelt, np.minimum(dwelt, np.maximum(closes, rows.arrives_s + 60))))


def write_owners(path: Path, owners: dict[int, list[bytes]]) -> int:
    """Write one owner per line, base64url, person by person; return how many. The file is private: owners can erase."""
    lines = [b64encode(owner) + "\n" for person in sorted(owners) for owner in owners[person]]
    path.touch(mode=0o600)
    path.write_text("".join(lines), encoding="ascii")
    return len(lines)


def _write_truth(folder: Path, plan: TownPlan, tables: dict[str, truth.Table]) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, table in tables.items():
        columns: dict[str, Any] = {column: pa.array(values) for column, values in table.items()}
        path = folder / f"{name}.parquet"
        pq.write_table(pa.table(columns), path, compression="zstd")
        path.chmod(0o600)
    (folder / "plan.json").write_text(json.dumps(_plain(plan), indent=2))


def _plain(plan: TownPlan) -> dict[str, object]:
    values = {one.name: getattr(plan, one.name) for one in dataclasses.fields(plan) if one.name != "parameters"}
    return values | {"start": plan.start.isoformat(), "parameters": plan.parameters.version}
