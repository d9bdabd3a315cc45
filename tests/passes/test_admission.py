"""Who gets a pass, and for whom a door opens."""

from __future__ import annotations

import dataclasses
import inspect
import itertools
import math
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passes import admission
from passes.admission import (
    ADVICE,
    EARLIEST_SECONDS,
    LATEST_SECONDS,
    AdviceCode,
    Answers,
    CheckinRules,
    CheckinState,
    Question,
    Readings,
    Result,
    Scan,
    ScanFacts,
    ScanType,
    Verdict,
    VisitChange,
    VisitEffect,
    VisitFacts,
    decide_scan,
    judge_answers,
    replay_slot,
    settle_visit,
)
from passes.codec import Cause, DoorRequirements, GoPass, Span, WeeklyHours
from passes.limits import EPOCH_SECONDS, SLOTS
from tests.passes.factories import NOON, START

SLOT = 721  # of noon
SCREEN = GoPass(anchor=bytes(16), epoch_start=START, slot=SLOT)
PAPER = dataclasses.replace(SCREEN, slot=None)
OPEN_DOOR = DoorRequirements()
PAPER_DOOR = DoorRequirements(rotating_required=False)
CHECKIN = Scan(type=ScanType.CHECKIN, scanned_at=NOON, received_at=NOON)
CHECKOUT = dataclasses.replace(CHECKIN, type=ScanType.CHECKOUT)
FRESH = ScanFacts()
INSIDE = ScanFacts(visit=VisitFacts(arrived=NOON - 3600), last_slot=SLOT - 60)
TIMED_OUT = ScanFacts(visit=VisitFacts(arrived=NOON - 7200, left=NOON - 60), last_slot=SLOT - 120)


def decide(
    parsed: GoPass | Cause = SCREEN,
    scan: Scan = CHECKIN,
    door: DoorRequirements = OPEN_DOOR,
    facts: ScanFacts = FRESH,
) -> Verdict:
    return decide_scan(parsed=parsed, scan=scan, door=door, facts=facts)


def settle(
    parsed: GoPass | Cause = SCREEN,
    scan: Scan = CHECKIN,
    door: DoorRequirements = OPEN_DOOR,
    facts: ScanFacts = FRESH,
) -> VisitChange:
    verdict = decide(parsed, scan, door, facts)
    return settle_visit(verdict=verdict, parsed=parsed, scan=scan, facts=facts)


def offline(result: Result, scan: Scan = CHECKIN, *, hours_late: float = 1) -> Scan:
    return dataclasses.replace(scan, kiosk_result=result, received_at=scan.scanned_at + hours_late * 3600)


# --- At issue ---

OPEN = CheckinState(open=True)
answers = st.builds(Answers, *(st.booleans() for _ in Question))
rules = st.builds(CheckinRules, refusing=st.frozensets(st.sampled_from(Question)), invitation_needed=st.booleans())
states = st.builds(CheckinState, open=st.booleans(), invitation_valid=st.none() | st.booleans())


def saying_yes(*questions: Question) -> Answers:
    return Answers(**{question.value: question in questions for question in Question})


@pytest.mark.parametrize("question", Question)
def test_a_yes_refuses_where_the_venue_says_so_and_nowhere_else(question: Question) -> None:
    given_answers = saying_yes(question)
    strict, lenient = CheckinRules(frozenset({question})), CheckinRules(frozenset(set(Question) - {question}))
    refused = judge_answers(answers=given_answers, rules=strict, state=OPEN)
    assert not refused.go
    assert [advice.code.value for advice in refused.advice] == [question.value]
    assert judge_answers(answers=given_answers, rules=lenient, state=OPEN).go


def test_symptoms_and_a_diagnosis_refuse_by_default() -> None:
    refusing = {
        question
        for question in Question
        if not judge_answers(answers=saying_yes(question), rules=CheckinRules(), state=OPEN).go
    }
    assert refusing == {Question.SYMPTOMS, Question.DIAGNOSED}


def test_all_obstacles_are_named_at_once() -> None:
    judged = judge_answers(
        answers=saying_yes(*Question),
        rules=CheckinRules(frozenset(Question), invitation_needed=True),
        state=CheckinState(open=False),
    )
    assert [advice.code for advice in judged.advice] == [
        AdviceCode.SYMPTOMS,
        AdviceCode.DIAGNOSED,
        AdviceCode.CONTACT,
        AdviceCode.NEAR,
        AdviceCode.INVITATION_NEEDED,
        AdviceCode.CHECKIN_CLOSED,
    ]


@pytest.mark.parametrize(
    ("valid", "code"), [(None, AdviceCode.INVITATION_NEEDED), (False, AdviceCode.INVITATION_UNKNOWN), (True, None)]
)
def test_an_event_by_invitation_needs_a_valid_one(valid: bool | None, code: AdviceCode | None) -> None:
    judged = judge_answers(
        answers=saying_yes(),
        rules=CheckinRules(invitation_needed=True),
        state=CheckinState(open=True, invitation_valid=valid),
    )
    assert [advice.code for advice in judged.advice] == ([] if code is None else [code])


@pytest.mark.parametrize("code", AdviceCode)
def test_every_advice_says_what_would_change_it(code: AdviceCode) -> None:
    text = admission.Advice(code).text
    assert text == ADVICE[code]
    assert text.endswith(".")
    assert not {"denied", "rejected", "failed", "infected"} & set(text.lower().split())


@given(answers=answers, rules=rules, state=states)
def test_one_yes_less_never_loses_a_pass(answers: Answers, rules: CheckinRules, state: CheckinState) -> None:
    better = dataclasses.replace(answers, symptoms=False, near=False)
    before, after = (judge_answers(answers=given_, rules=rules, state=state).go for given_ in (answers, better))
    assert after or not before


# --- At the door: the plain cases ---


def test_a_good_pass_is_approved_and_starts_a_visit_of_one_head() -> None:
    assert decide() == Verdict(Result.APPROVED, visit=VisitChange(VisitEffect.START, counts_head=True))


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("scan", [CHECKIN, CHECKOUT], ids=lambda scan: scan.type.value)
def test_a_cause_of_the_parser_declines_and_is_kept(cause: Cause, scan: Scan) -> None:
    assert decide(cause, scan) == Verdict(Result.DECLINED, cause)


def test_a_known_scan_id_gives_its_first_answer_whatever_came_with_it() -> None:
    credentials: tuple[GoPass | Cause, ...] = (SCREEN, PAPER, Cause.PREFIX)
    for result, parsed in itertools.product(Result, credentials):
        facts = dataclasses.replace(FRESH, known_result=result, revoked=True, slot_used=True)
        assert decide(parsed, facts=facts) == Verdict(result, store=False)
        assert settle(parsed, offline(Result.APPROVED), facts=facts) == VisitChange()


@pytest.mark.parametrize("scan", [CHECKIN, CHECKOUT], ids=lambda scan: scan.type.value)
def test_a_scan_of_an_erased_pass_is_declined_and_stores_nothing(scan: Scan) -> None:
    facts = ScanFacts(pass_known=False)
    assert decide(scan=scan, facts=facts) == Verdict(Result.DECLINED, Cause.UNKNOWN, store=False)
    late = offline(Result.APPROVED, scan, hours_late=24 * 8)
    assert decide(scan=late, facts=facts) == Verdict(Result.DECLINED, Cause.TOO_LATE, store=False)
    assert settle(scan=late, facts=facts) == settle(scan=offline(Result.APPROVED, scan), facts=facts) == VisitChange()


@pytest.mark.parametrize("scan", [CHECKIN, CHECKOUT], ids=lambda scan: scan.type.value)
def test_a_revoked_pass_is_declined(scan: Scan) -> None:
    assert decide(scan=scan, facts=ScanFacts(revoked=True)).cause is Cause.REVOKED


@pytest.mark.parametrize(
    ("delay", "cause"),
    [
        (LATEST_SECONDS, None),
        (LATEST_SECONDS + 1, Cause.TOO_LATE),
        (-EARLIEST_SECONDS, None),
        (-EARLIEST_SECONDS - 1, Cause.TOO_EARLY),
    ],
)
def test_a_scan_may_be_seven_days_late_and_two_minutes_early(delay: int, cause: Cause | None) -> None:
    assert decide(scan=dataclasses.replace(CHECKIN, received_at=NOON + delay)).cause is cause


# --- Rotating and static ---


@pytest.mark.parametrize("scan", [CHECKIN, CHECKOUT], ids=lambda scan: scan.type.value)
def test_a_pass_stripped_of_its_rotating_code_is_declined_by_default(scan: Scan) -> None:
    assert decide(PAPER, scan).cause is Cause.ROTATING_REQUIRED
    assert decide(PAPER, scan, PAPER_DOOR).result is Result.APPROVED


def test_a_static_pass_needs_a_checkout_or_time_out_before_it_opens_the_door_again() -> None:
    assert decide(PAPER, door=PAPER_DOOR, facts=INSIDE).cause is Cause.STILL_INSIDE
    again = decide(PAPER, door=PAPER_DOOR, facts=TIMED_OUT)
    assert again == Verdict(Result.APPROVED, visit=VisitChange(VisitEffect.RESTART))
    left = dataclasses.replace(INSIDE, visit=VisitFacts(arrived=NOON - 3600, left=NOON - 120, checked_out=True))
    assert decide(PAPER, door=PAPER_DOOR, facts=left).visit.effect is VisitEffect.RESTART


def test_a_time_out_in_the_future_has_not_happened() -> None:
    staying = ScanFacts(visit=VisitFacts(arrived=NOON - 3600, left=NOON + 60))
    assert decide(PAPER, door=PAPER_DOOR, facts=staying).cause is Cause.STILL_INSIDE
    assert decide(facts=staying).visit.effect is VisitEffect.CONTINUE


def test_the_slot_of_a_static_pass_is_that_of_the_doors_clock() -> None:
    assert replay_slot(PAPER, NOON) == replay_slot(SCREEN, NOON) == SLOT
    assert replay_slot(SCREEN, NOON + 60) == SLOT
    assert replay_slot(PAPER, NOON + 60) == SLOT + 1


# --- Replay and re-entry ---


@pytest.mark.parametrize("scan", [CHECKIN, CHECKOUT], ids=lambda scan: scan.type.value)
def test_a_code_counts_once(scan: Scan) -> None:
    used = ScanFacts(slot_used=True, slot_let_in=True, last_slot=SLOT)
    assert decide(scan=scan, facts=used).cause is Cause.REPLAY
    assert settle(scan=offline(Result.APPROVED, scan), facts=used) == VisitChange()


def test_a_code_computed_back_from_a_used_one_is_a_replay() -> None:
    before = dataclasses.replace(SCREEN, slot=SLOT - 1)
    after = dataclasses.replace(SCREEN, slot=SLOT + 1)
    used = ScanFacts(last_slot=SLOT, visit=VisitFacts(arrived=NOON - 5))
    assert decide(before, facts=used).cause is Cause.REPLAY
    assert decide(after, facts=used).visit == VisitChange(VisitEffect.CONTINUE)


def test_scans_of_offline_kiosks_may_arrive_in_any_order() -> None:
    later_came_first = ScanFacts(last_slot=SLOT + 60, visit=VisitFacts(arrived=NOON + 3600))
    scan = offline(Result.APPROVED)
    assert decide(scan=scan, facts=later_came_first).result is Result.APPROVED
    assert settle(scan=scan, facts=later_came_first) == VisitChange(VisitEffect.CONTINUE)


def test_re_entry_continues_an_open_visit_and_restarts_an_ended_one() -> None:
    assert decide(facts=INSIDE).visit == VisitChange(VisitEffect.CONTINUE)
    assert decide(facts=TIMED_OUT).visit == VisitChange(VisitEffect.RESTART)


def test_a_checkout_ends_an_open_visit_and_no_other() -> None:
    out = ScanFacts(visit=VisitFacts(arrived=NOON - 60, left=NOON + 60, checked_out=True))
    ahead = ScanFacts(visit=VisitFacts(arrived=NOON + 60))
    effects = [decide(scan=CHECKOUT, facts=facts).visit.effect for facts in (INSIDE, FRESH, TIMED_OUT, out, ahead)]
    assert effects == [VisitEffect.END] + [VisitEffect.NONE] * 4


def test_a_checkout_is_approved_inside_or_not_whatever_the_door_asks_on_the_way_in() -> None:
    door = DoorRequirements(
        highest_temperature_f=90, lowest_o2=99, capacity=1, hours=WeeklyHours(ZoneInfo("UTC"), ()), private=True
    )
    for facts in (FRESH, INSIDE, TIMED_OUT, ScanFacts(occupancy=5)):
        assert decide(scan=CHECKOUT, door=door, facts=facts).result is Result.APPROVED


def test_a_checkout_that_was_uploaded_first_ends_the_visit_that_starts_after() -> None:
    facts = ScanFacts(next_checkout=NOON + 1800)
    assert settle(scan=offline(Result.APPROVED), facts=facts) == VisitChange(
        VisitEffect.START, counts_head=True, left=NOON + 1800
    )


# --- Limits ---


@pytest.mark.parametrize(
    ("readings", "cause"),
    [
        (Readings(100.4, 94), None),
        (Readings(100.5, 94), Cause.TEMPERATURE),
        (Readings(100.4, 93.9), Cause.O2),
        (Readings(None, 94), Cause.READING_MISSING),
        (Readings(98.6, None), Cause.READING_MISSING),
        (Readings(math.nan, 94), Cause.TEMPERATURE),
        (Readings(98.6, math.nan), Cause.O2),
        (Readings(math.inf, 94), Cause.TEMPERATURE),
    ],
)
def test_readings_are_held_against_their_limits(readings: Readings, cause: Cause | None) -> None:
    door = DoorRequirements(highest_temperature_f=100.4, lowest_o2=94)
    assert decide(scan=dataclasses.replace(CHECKIN, readings=readings), door=door).cause is cause


def test_a_reading_without_a_limit_decides_nothing() -> None:
    for readings in (Readings(), Readings(120, 1), Readings(math.nan, math.nan)):
        assert decide(scan=dataclasses.replace(CHECKIN, readings=readings)).result is Result.APPROVED


@pytest.mark.parametrize(("occupancy", "cause"), [(39, None), (40, Cause.FULL), (41, Cause.FULL)])
def test_a_door_opens_up_to_capacity_times_enforced_limit(occupancy: int, cause: Cause | None) -> None:
    door = DoorRequirements(capacity=81, enforced_percent=50)
    assert decide(door=door, facts=ScanFacts(occupancy=occupancy)).cause is cause


def test_who_is_inside_already_takes_no_further_place() -> None:
    door = DoorRequirements(capacity=1)
    assert decide(door=door, facts=dataclasses.replace(INSIDE, occupancy=1)).result is Result.APPROVED
    assert decide(door=door, facts=dataclasses.replace(TIMED_OUT, occupancy=1)).cause is Cause.FULL


def test_a_door_is_shut_outside_opening_hours() -> None:
    sunday_noon = WeeklyHours(ZoneInfo("UTC"), (Span(6, 720, 721),))  # START is a Sunday
    assert decide(door=DoorRequirements(hours=sunday_noon)).result is Result.APPROVED
    minute_later = dataclasses.replace(CHECKIN, scanned_at=NOON + 60)
    assert decide(scan=minute_later, door=DoorRequirements(hours=sunday_noon)).cause is Cause.CLOSED


def test_hours_are_read_at_the_time_of_the_scan_not_of_its_arrival() -> None:
    hours = WeeklyHours(ZoneInfo("UTC"), (Span(6, 720, 721),))
    assert decide(scan=offline(Result.APPROVED), door=DoorRequirements(hours=hours)).result is Result.APPROVED


def test_a_private_door_opens_only_in_epochs_by_invitation() -> None:
    assert decide(door=DoorRequirements(private=True)).cause is Cause.PRIVATE_DOOR
    invited = DoorRequirements(private=True, invitation_epochs=frozenset({START}))
    assert decide(door=invited).result is Result.APPROVED
    assert decide(door=DoorRequirements(invitation_epochs=frozenset())).result is Result.APPROVED


# --- Who was let in makes the visit ---

NOT_ABOUT_THE_PASS = [
    (CHECKIN, DoorRequirements(highest_temperature_f=99), FRESH, VisitEffect.START),
    (CHECKIN, DoorRequirements(capacity=1), ScanFacts(occupancy=3), VisitEffect.START),
    (CHECKIN, DoorRequirements(hours=WeeklyHours(ZoneInfo("UTC"), ())), FRESH, VisitEffect.START),
    (CHECKIN, DoorRequirements(private=True), INSIDE, VisitEffect.CONTINUE),
    (CHECKIN, OPEN_DOOR, ScanFacts(revoked=True), VisitEffect.START),
    (CHECKOUT, OPEN_DOOR, dataclasses.replace(INSIDE, revoked=True), VisitEffect.END),
    (CHECKIN, OPEN_DOOR, ScanFacts(slot_used=True), VisitEffect.START),  # approved once, but not let in
]


@pytest.mark.parametrize(("scan", "door", "facts", "effect"), NOT_ABOUT_THE_PASS)
def test_whom_an_offline_kiosk_let_in_makes_a_visit_though_the_server_would_not(
    scan: Scan, door: DoorRequirements, facts: ScanFacts, effect: VisitEffect
) -> None:
    late = offline(Result.APPROVED, scan)
    assert decide(scan=late, door=door, facts=facts).result is Result.DECLINED
    assert settle(scan=late, door=door, facts=facts).effect is effect


@pytest.mark.parametrize("parsed", [Cause.SIGNATURE, Cause.CHAIN, Cause.EXPIRED, Cause.PREFIX])
def test_a_kiosk_cannot_make_a_visit_of_a_pass_that_does_not_verify(parsed: Cause) -> None:
    assert settle(parsed, offline(Result.APPROVED)) == VisitChange()


def test_a_kiosk_cannot_make_a_visit_of_a_scan_that_came_too_late() -> None:
    assert settle(scan=offline(Result.APPROVED, hours_late=24 * 7 + 1)) == VisitChange()


def test_whom_an_offline_kiosk_sent_away_makes_no_visit() -> None:
    scan = offline(Result.DECLINED)
    assert decide(scan=scan).result is Result.APPROVED
    assert settle(scan=scan) == VisitChange()


def test_without_a_kiosks_word_the_servers_verdict_makes_the_visit() -> None:
    assert settle() == decide().visit
    assert settle(Cause.SIGNATURE) == VisitChange()


# --- Properties ---

parsed_passes = st.sampled_from(Cause) | st.builds(
    GoPass, anchor=st.just(bytes(16)), epoch_start=st.just(START), slot=st.none() | st.integers(1, SLOTS)
)
times = st.integers(START, START + EPOCH_SECONDS)
visits = st.builds(VisitFacts, arrived=times, left=st.none() | times, checked_out=st.booleans())
all_facts = st.builds(
    ScanFacts,
    known_result=st.none() | st.sampled_from(Result),
    pass_known=st.booleans(),
    revoked=st.booleans(),
    slot_used=st.booleans(),
    slot_let_in=st.booleans(),
    last_slot=st.none() | st.integers(1, SLOTS),
    visit=st.none() | visits,
    next_checkout=st.none() | times,
    occupancy=st.integers(0, 200),
)
likely_facts = st.builds(ScanFacts, visit=st.none() | visits, occupancy=st.integers(0, 200))
numbers = st.none() | st.floats(50, 120)
scans = st.builds(
    Scan,
    type=st.sampled_from(ScanType),
    scanned_at=times,
    received_at=times,
    readings=st.builds(Readings, numbers, numbers),
    kiosk_result=st.none() | st.sampled_from(Result),
)
doors = st.builds(
    DoorRequirements,
    highest_temperature_f=numbers,
    lowest_o2=numbers,
    capacity=st.none() | st.integers(1, 200),
    enforced_percent=st.integers(1, 100),
    rotating_required=st.booleans(),
    private=st.booleans(),
    invitation_epochs=st.sampled_from([frozenset(), frozenset({START})]),
)


@given(parsed=parsed_passes, scan=scans, door=doors, facts=all_facts)
def test_a_verdict_is_one_bit_and_a_cause_belongs_to_red_alone(
    parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts
) -> None:
    verdict = decide(parsed, scan, door, facts)
    assert verdict.result in set(Result)
    if facts.known_result is None:
        assert (verdict.cause is None) is (verdict.result is Result.APPROVED)
    if verdict.result is Result.DECLINED:
        assert verdict.visit == VisitChange()


@given(parsed=parsed_passes, scan=scans, door=doors, facts=all_facts)
def test_the_same_scan_gets_the_same_answer_again(
    parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts
) -> None:
    first = decide(parsed, scan, door, facts)
    again = decide(parsed, scan, door, dataclasses.replace(facts, known_result=first.result))
    assert again.result is first.result
    assert again.visit == VisitChange()
    assert not again.store


@given(scan=scans, door=doors, facts=likely_facts, slot=st.integers(1, SLOTS))
def test_a_code_that_was_approved_is_never_approved_again(
    scan: Scan, door: DoorRequirements, facts: ScanFacts, slot: int
) -> None:
    parsed = dataclasses.replace(SCREEN, slot=slot)
    if decide(parsed, scan, door, facts).result is Result.APPROVED:
        after = dataclasses.replace(facts, slot_used=True, slot_let_in=True, last_slot=slot)
        assert decide(parsed, scan, door, after).cause is Cause.REPLAY


@given(parsed=parsed_passes, scan=scans, door=doors, facts=all_facts)
def test_a_head_counts_with_the_first_visit_only(
    parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts
) -> None:
    change = settle(parsed, scan, door, facts)
    assert change.counts_head is (change.effect is VisitEffect.START)
    if change.counts_head:
        assert facts.visit is None


@given(
    parsed=parsed_passes,
    scan=scans,
    door=doors,
    facts=likely_facts,
    warmer=st.floats(0, 20),
    lower=st.floats(0, 20),
    room=st.integers(0, 50),
)
def test_a_door_that_asks_for_less_never_declines_more(
    parsed: GoPass | Cause,
    scan: Scan,
    door: DoorRequirements,
    facts: ScanFacts,
    warmer: float,
    lower: float,
    room: int,
) -> None:
    eased = dataclasses.replace(
        door,
        highest_temperature_f=None if door.highest_temperature_f is None else door.highest_temperature_f + warmer,
        lowest_o2=None if door.lowest_o2 is None else door.lowest_o2 - lower,
        capacity=None if door.capacity is None else door.capacity + room,
        enforced_percent=100,
        rotating_required=False,
        private=False,
    )
    if decide(parsed, scan, door, facts).result is Result.APPROVED:
        assert decide(parsed, scan, eased, facts).result is Result.APPROVED


@given(parsed=parsed_passes, scan=scans, door=doors, facts=likely_facts, more=st.integers(1, 50))
def test_a_fuller_room_never_opens_a_door(
    parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts, more: int
) -> None:
    fuller = dataclasses.replace(facts, occupancy=facts.occupancy + more)
    if decide(parsed, scan, door, fuller).result is Result.APPROVED:
        assert decide(parsed, scan, door, facts).result is Result.APPROVED


# --- What the door cannot know ---


def _types_within(kind: Any, seen: set[Any]) -> set[Any]:
    """Return a dataclass and all dataclasses in its fields."""
    if kind in seen or not dataclasses.is_dataclass(kind):
        return seen
    seen.add(kind)
    for field in dataclasses.fields(kind):
        for other in vars(admission).values():
            if inspect.isclass(other) and other.__name__ in str(field.type):
                _types_within(other, seen)
    return seen


def test_the_door_has_no_access_to_answers() -> None:
    reached: set[Any] = set()
    for parameter in inspect.signature(decide_scan, eval_str=True).parameters.values():
        for kind in (parameter.annotation, *getattr(parameter.annotation, "__args__", ())):
            _types_within(kind, reached)
    assert {Scan, DoorRequirements, ScanFacts, GoPass, VisitFacts, Readings} <= reached
    names = {field.name for kind in reached for field in dataclasses.fields(kind)}
    assert not names & {question.value for question in Question}
    assert not reached & {Answers, CheckinRules, CheckinState}


def test_no_cause_of_red_speaks_of_answers() -> None:
    assert not {cause.value for cause in Cause} & {code.value for code in AdviceCode}
