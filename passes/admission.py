"""The two decisions: who gets a pass, and for whom a door opens. Pure functions of values.

Answers are judged once, at issue. `decide_scan` takes none and can reach none: what a door shows says nothing of them.
A door learns one bit; causes are for the operator's sums.

The server decides every scan itself (`decide_scan`). Where a kiosk decided offline and reports it, the server's verdict
is stored beside the kiosk's, and who was let in makes the visit (`settle_visit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from passes.codec import Cause, DoorRequirements, GoPass
from passes.codec.identity import slot_at

LATEST_SECONDS: Final = 7 * 24 * 3600  # a scan may arrive so long after it was made
EARLIEST_SECONDS: Final = 120  # and a kiosk's clock may be so far ahead


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the caller translates it when it answers."""
    return text


# --- At issue ---------------------------------------------------------------------------------------------------------


class Question(StrEnum):
    """The four questions, each about the past two weeks."""

    SYMPTOMS = "symptoms"
    DIAGNOSED = "diagnosed"
    CONTACT = "contact"
    NEAR = "near"


class AdviceCode(StrEnum):
    """Why no pass was given, said to the visitor alone."""

    SYMPTOMS = "symptoms"
    DIAGNOSED = "diagnosed"
    CONTACT = "contact"
    NEAR = "near"
    INVITATION_NEEDED = "invitation_needed"
    INVITATION_UNKNOWN = "invitation_unknown"
    CHECKIN_CLOSED = "checkin_closed"


ADVICE: Final[Mapping[AdviceCode, str]] = MappingProxyType(
    {
        AdviceCode.SYMPTOMS: gettext_noop(
            "This place asks guests with symptoms to stay home. Rest, and come back when two weeks have passed "
            "without them. If you find breathing hard, call a doctor now."
        ),
        AdviceCode.DIAGNOSED: gettext_noop(
            "This place asks guests who were diagnosed, or who wait for a result, to stay home. A negative result, "
            "or two weeks since the diagnosis, changes that."
        ),
        AdviceCode.CONTACT: gettext_noop(
            "This place asks guests who were in contact with a diagnosed person to wait. Two weeks after the contact "
            "you can check in again."
        ),
        AdviceCode.NEAR: gettext_noop(
            "This place asks guests who were near a diagnosed person to wait. Two weeks later you can check in again."
        ),
        AdviceCode.INVITATION_NEEDED: gettext_noop(
            "This event is by invitation. Open the link or type the code that your host gave you."
        ),
        AdviceCode.INVITATION_UNKNOWN: gettext_noop(
            "This invitation does not fit this event and day. Ask your host for a new one."
        ),
        AdviceCode.CHECKIN_CLOSED: gettext_noop(
            "Check-in for this day is not open. It opens 24 hours before the day starts and closes when the day ends."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Answers:
    """The four answers; True is yes."""

    symptoms: bool
    diagnosed: bool
    contact: bool
    near: bool

    def says_yes_to(self, question: Question) -> bool:
        """The answer to one question."""
        return bool(getattr(self, question.value))


@dataclass(frozen=True, slots=True)
class CheckinRules:
    """A venue's rules for one epoch, frozen when its check-in opens: which yes refuses, and whether one is invited."""

    refusing: frozenset[Question] = frozenset({Question.SYMPTOMS, Question.DIAGNOSED})
    invitation_needed: bool = False


@dataclass(frozen=True, slots=True)
class CheckinState:
    """What holds at the moment of check-in. `invitation_valid` is None where no code was sent."""

    open: bool
    invitation_valid: bool | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """One kind sentence, in English; translate `text` with gettext."""

    code: AdviceCode

    @property
    def text(self) -> str:
        """The sentence of the code."""
        return ADVICE[self.code]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a pass is given; if not, all that would have to change."""

    advice: tuple[Advice, ...]

    @property
    def go(self) -> bool:
        """A pass is given when nothing has to change."""
        return not self.advice


def judge_answers(*, answers: Answers, rules: CheckinRules, state: CheckinState) -> Judgement:
    """Judge a check-in. Every obstacle is named, so that nobody removes one to meet the next."""
    obstacles = [
        AdviceCode(question.value)
        for question in Question
        if question in rules.refusing and answers.says_yes_to(question)
    ]
    if rules.invitation_needed and not state.invitation_valid:
        missing = state.invitation_valid is None
        obstacles.append(AdviceCode.INVITATION_NEEDED if missing else AdviceCode.INVITATION_UNKNOWN)
    if not state.open:
        obstacles.append(AdviceCode.CHECKIN_CLOSED)
    return Judgement(tuple(Advice(code) for code in obstacles))


# --- At the door ------------------------------------------------------------------------------------------------------


class ScanType(StrEnum):
    """What the door does with the visitor."""

    CHECKIN = "Checkin"
    CHECKOUT = "Checkout"


class Result(StrEnum):
    """The one bit that a door learns."""

    APPROVED = "Approved"
    DECLINED = "Declined"


class VisitEffect(StrEnum):
    """What a scan does to the visit of its pass.

    START makes the first visit. CONTINUE keeps the open one and widens it to hold the scan's time (a late scan may
    lie before its arrival). RESTART makes another visit of the same head. END closes the visit at the scan's time.
    """

    START = "start"
    CONTINUE = "continue"
    RESTART = "restart"
    END = "end"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Readings:
    """What the door measured: degrees Fahrenheit and oxygen saturation in percent. Used once, for the decision."""

    temperature_f: float | None = None
    o2: float | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The latest visit of a pass that arrived by the scan's time, or else its earliest one. Times are Unix seconds.

    `left` is the end by Checkout, time-out (usual dwell) or closing, whichever is first; it may lie ahead, and None
    means that none is known. `checked_out`: that end is a Checkout.
    """

    arrived: int
    left: int | None = None
    checked_out: bool = False

    def is_inside(self, at: float) -> bool:
        """Whether the visitor counts as inside at `at`."""
        return self.arrived <= at and (self.left is None or at < self.left)


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """All that the database knows for one scan; a caller fills it from one SELECT.

    With `tag` = HMAC(pepper, "tag" || anchor)[:16] of the parsed pass (null if the credential is garbage), `venue` of
    the device, `slot` = `replay_slot(pass, scanned_at)` and `at` = scanned_at:

    - `known_result`: the stored result of this scan_id at this venue; None if the id is new.
    - `pass_known`: a pass row with this tag exists at this venue (no row: it was erased).
    - `revoked`: that row's mark.
    - `slot_used`: a scan with this tag, type and slot exists that the server or the kiosk approved.
    - `slot_let_in`: one of these let its visitor through.
    - `last_slot`: the highest slot of a scan with this tag and type that let its visitor through; None without any.
    - `visit`: see `VisitFacts`; None if the pass has made no visit.
    - `next_checkout`: time of the first Checkout with this tag after `at` that let its visitor through; None without
      any. Offline kiosks upload in any order: sort a batch by `scanned_at` first, and this covers what is left.
    - `occupancy`: visits at this venue that hold `at` (arrived by then, not left by then).

    A scan let its visitor through if the kiosk's result, or where there is none the server's, is Approved.
    """

    known_result: Result | None = None
    pass_known: bool = True
    revoked: bool = False
    slot_used: bool = False
    slot_let_in: bool = False
    last_slot: int | None = None
    visit: VisitFacts | None = None
    next_checkout: int | None = None
    occupancy: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as it came in. `scanned_at` and `received_at` are Unix seconds.

    `kiosk_result` is what a kiosk decided offline and already acted on; None if the server decides.
    """

    type: ScanType
    scanned_at: float
    received_at: float
    readings: Readings = Readings()
    kiosk_result: Result | None = None


@dataclass(frozen=True, slots=True)
class VisitChange:
    """What happens to the visit, and whether the scan counts a head (once a pass).

    `left` is when a visit that starts here ended, where its Checkout was uploaded before its Checkin.
    """

    effect: VisitEffect = VisitEffect.NONE
    counts_head: bool = False
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The server's own verdict of a scan.

    `cause` is None for Approved and for a scan_id that was answered before. `store` is False where nothing at all may
    be kept: the answer to a known scan_id, and a scan of an erased pass.
    """

    result: Result
    cause: Cause | None = None
    visit: VisitChange = VisitChange()
    store: bool = True


def check_arrival(*, scanned_at: float, received_at: float) -> Cause | None:
    """Whether a scan is at most 7 days old and at most 2 minutes from the future."""
    if received_at - scanned_at > LATEST_SECONDS:
        return Cause.TOO_LATE
    if scanned_at - received_at > EARLIEST_SECONDS:
        return Cause.TOO_EARLY
    return None


def replay_slot(go_pass: GoPass, scanned_at: float) -> int:
    """The slot under which a scan counts once: the one shown, or for a static pass the one of the door's clock."""
    return slot_at(go_pass.epoch_start, scanned_at) if go_pass.slot is None else go_pass.slot


def decide_scan(*, parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Verdict:
    """Approve or decline a scan, with the first cause in the order of `Cause`.

    `parsed` is the answer of `parse_pass` for the device's venue at `scan.scanned_at`. A known scan_id gives its first
    answer. A Checkout needs a good pass, the rotating code where it is required, and a fresh slot; nothing else.
    """
    if facts.known_result is not None:
        return Verdict(result=facts.known_result, store=False)
    cause = check_arrival(scanned_at=scan.scanned_at, received_at=scan.received_at)
    if cause is None:
        cause = parsed if isinstance(parsed, Cause) else _refusal(parsed, scan, door, facts)
    if cause is not None:
        erased = isinstance(parsed, GoPass) and not facts.pass_known
        return Verdict(result=Result.DECLINED, cause=cause, store=not erased)
    change = _visit_change(scan, facts)
    return Verdict(result=Result.APPROVED, visit=change)


def settle_visit(*, verdict: Verdict, parsed: GoPass | Cause, scan: Scan, facts: ScanFacts) -> VisitChange:
    """What a scan does to the visit: who was let in makes it.

    Without a kiosk's result the server's verdict decides. With one, an Approved by the kiosk changes the visit if the
    pass itself verifies and came in time, whatever the server thinks of limits, readings, hours, revocation or the
    static form: the person went through. A code that counted before, an erased pass and a repeated scan_id change
    nothing. A Declined by the kiosk changes nothing either.
    """
    if scan.kiosk_result is None or verdict.cause is None:
        let_in = scan.kiosk_result is not Result.DECLINED
        return verdict.visit if let_in else VisitChange()
    late = check_arrival(scanned_at=scan.scanned_at, received_at=scan.received_at) is not None
    verifies = isinstance(parsed, GoPass) and facts.pass_known and not late
    if scan.kiosk_result is Result.APPROVED and verifies and not facts.slot_let_in:
        return _visit_change(scan, facts)
    return VisitChange()


def _refusal(go_pass: GoPass, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Cause | None:
    cause = _pass_cause(go_pass, scan, door, facts)
    if cause is None and scan.type is ScanType.CHECKIN:
        return _entry_cause(go_pass, scan, door, facts)
    return cause


def _pass_cause(go_pass: GoPass, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Cause | None:
    """What is wrong with a pass, on the way in or out."""
    if not facts.pass_known:
        return Cause.UNKNOWN
    if facts.revoked:
        return Cause.REVOKED
    if go_pass.slot is None and door.rotating_required:
        return Cause.ROTATING_REQUIRED
    return Cause.REPLAY if _is_replay(go_pass, scan, facts) else None


def _is_replay(go_pass: GoPass, scan: Scan, facts: ScanFacts) -> bool:
    """A slot counts once. Live, a slot before the last one is a replay too.

    Who sees `x_j` can compute `x_{j-1}`, which a door still accepts for a minute: without the second rule a photo of a
    code already used would open the door once more. Scans of offline kiosks arrive shuffled, so there the order of
    arrival says nothing.
    """
    if facts.slot_used:
        return True
    if scan.kiosk_result is not None or facts.last_slot is None:
        return False
    return replay_slot(go_pass, scan.scanned_at) <= facts.last_slot


def _entry_cause(go_pass: GoPass, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Cause | None:
    """What keeps a good pass outside."""
    inside = facts.visit is not None and facts.visit.is_inside(scan.scanned_at)
    if go_pass.slot is None and inside:
        return Cause.STILL_INSIDE
    if door.private and go_pass.epoch_start not in door.invitation_epochs:
        return Cause.PRIVATE_DOOR
    if not door.is_open(scan.scanned_at):
        return Cause.CLOSED
    cause = _reading_cause(door, scan.readings)
    if cause is None and not inside and door.people_limit is not None and facts.occupancy >= door.people_limit:
        return Cause.FULL
    return cause


def _reading_cause(door: DoorRequirements, readings: Readings) -> Cause | None:
    """Readings against limits. Written so that a reading that is no number declines."""
    temperature, highest = readings.temperature_f, door.highest_temperature_f
    o2, lowest = readings.o2, door.lowest_o2
    if (highest is not None and temperature is None) or (lowest is not None and o2 is None):
        return Cause.READING_MISSING
    if highest is not None and temperature is not None and not temperature <= highest:
        return Cause.TEMPERATURE
    if lowest is not None and o2 is not None and not o2 >= lowest:
        return Cause.O2
    return None


def _visit_change(scan: Scan, facts: ScanFacts) -> VisitChange:
    """What a scan does to the visit once the person went through."""
    visit = facts.visit
    if scan.type is ScanType.CHECKOUT:
        ends = visit is not None and not visit.checked_out and visit.is_inside(scan.scanned_at)
        return VisitChange(VisitEffect.END if ends else VisitEffect.NONE)
    if visit is None:
        return VisitChange(VisitEffect.START, counts_head=True, left=facts.next_checkout)
    if visit.left is not None and visit.left <= scan.scanned_at:
        return VisitChange(VisitEffect.RESTART, left=facts.next_checkout)
    return VisitChange(VisitEffect.CONTINUE)
