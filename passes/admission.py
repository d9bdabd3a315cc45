"""The two decisions: who gets a pass, and for whom a door opens. Pure functions of values.

Answers are judged once, at issue. `decide_scan` neither receives nor reaches them, so what a door shows reveals nothing
about them. A door learns one bit; causes are stored only for the operator's totals.

The server decides every scan itself (`decide_scan`). If a kiosk decided offline and reports the result, the server's
verdict is stored next to the kiosk's, and the person that was admitted makes the visit (`settle_visit`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from passes.codec import Cause, DoorRequirements, GoPass
from passes.codec.identity import slot_at

LATEST_SECONDS: Final = 7 * 24 * 3600  # a scan may arrive this long after it was made
EARLIEST_SECONDS: Final = 120  # and a kiosk's clock may be ahead by this much


def gettext_noop(text: str) -> str:
    """Mark a sentence for translation; the caller translates it when it responds."""
    return text


# --- At issue ---------------------------------------------------------------------------------------------------------


class Question(StrEnum):
    """The four questions, each about the past two weeks."""

    SYMPTOMS = "symptoms"
    DIAGNOSED = "diagnosed"
    CONTACT = "contact"
    NEAR = "near"


class AdviceCode(StrEnum):
    """Reasons why no pass was issued, shown only to the visitor."""

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
            "This place asks visitors with symptoms to stay home. Rest, and come back after two weeks "
            "without symptoms. If you have trouble breathing, call a doctor now."
        ),
        AdviceCode.DIAGNOSED: gettext_noop(
            "This place asks visitors who have been diagnosed, or are waiting for a result, to stay "
            "home. You can check in again after a negative result, or two weeks after the diagnosis."
        ),
        AdviceCode.CONTACT: gettext_noop(
            "This place asks visitors who were in contact with a diagnosed person to wait. You can "
            "check in again two weeks after the contact."
        ),
        AdviceCode.NEAR: gettext_noop(
            "This place asks visitors who were near somebody with symptoms to wait. You can check in again two weeks "
            "later."
        ),
        AdviceCode.INVITATION_NEEDED: gettext_noop(
            "This event is by invitation. Open the link or type the code that your host gave you."
        ),
        AdviceCode.INVITATION_UNKNOWN: gettext_noop(
            "This invitation is not for this event and day. Ask your host for a new one."
        ),
        AdviceCode.CHECKIN_CLOSED: gettext_noop(
            "Check-in for this day is not open. It opens 24 hours before the day starts and closes when the day ends."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Answers:
    """The four answers; `True` is yes."""

    symptoms: bool
    diagnosed: bool
    contact: bool
    near: bool

    def says_yes_to(self, question: Question) -> bool:
        """Return the answer to one question."""
        return bool(getattr(self, question.value))


@dataclass(frozen=True, slots=True)
class CheckinRules:
    """A venue's rules for one epoch, frozen when its check-in opens: refused answers, invitation."""

    refusing: frozenset[Question] = frozenset({Question.SYMPTOMS, Question.DIAGNOSED})
    invitation_needed: bool = False


@dataclass(frozen=True, slots=True)
class CheckinState:
    """The state at the time of check-in. `invitation_valid` is `None` if no code was sent."""

    open: bool
    invitation_valid: bool | None = None


@dataclass(frozen=True, slots=True)
class Advice:
    """One friendly sentence, in English; translate `text` with gettext."""

    code: AdviceCode

    @property
    def text(self) -> str:
        """Return the sentence for the code."""
        return ADVICE[self.code]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a pass is issued, and otherwise everything that would have to change."""

    advice: tuple[Advice, ...]

    @property
    def go(self) -> bool:
        """Return whether a pass is issued, which is the case if nothing has to change."""
        return not self.advice


def judge_answers(*, answers: Answers, rules: CheckinRules, state: CheckinState) -> Judgement:
    """Judge a check-in. Every obstacle is named, so that nobody removes one only to meet the next."""
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
    """The direction of a scan."""

    CHECKIN = "Checkin"
    CHECKOUT = "Checkout"


class Result(StrEnum):
    """The one bit that a door learns."""

    APPROVED = "Approved"
    DECLINED = "Declined"


class VisitEffect(StrEnum):
    """The effect of a scan on the visit of its pass.

    START makes the first visit. CONTINUE keeps the open one and extends it to the scan's time (a late scan may precede
    its arrival). RESTART makes another visit of the same head. END closes the visit at the scan's time.
    """

    START = "start"
    CONTINUE = "continue"
    RESTART = "restart"
    END = "end"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Readings:
    """Measurements at the door: degrees Fahrenheit and oxygen saturation in percent. Used once, for the decision."""

    temperature_f: float | None = None
    o2: float | None = None


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """The latest visit of a pass that had begun by the scan's time, or otherwise its earliest one.

    Times are Unix seconds. `left` is the end by Checkout, time-out (usual dwell) or closing, the earliest of these. It
    may be in the future; `None` means that it is unknown. `checked_out`: that end is a Checkout.
    """

    arrived: int
    left: int | None = None
    checked_out: bool = False

    def is_inside(self, at: float) -> bool:
        """Return whether the visitor counts as inside at `at`."""
        return self.arrived <= at and (self.left is None or at < self.left)


@dataclass(frozen=True, slots=True)
class ScanFacts:
    """Everything the database knows about one scan; a caller fills it from one SELECT.

    With `tag` = HMAC(pepper, "tag" || anchor)[:16] of the parsed pass (null if the credential is garbage), `venue` of
    the device, `slot` = `replay_slot(pass, scanned_at)` and `at` = scanned_at:

    - `known_result`: the stored result of this scan_id at this venue; `None` if the id is new.
    - `pass_known`: a pass row with this tag exists at this venue (no row: it was erased).
    - `revoked`: the mark of that row.
    - `slot_used`: a scan with this tag, type and slot exists that the server or the kiosk approved.
    - `slot_let_in`: one of these admitted its visitor.
    - `last_slot`: the highest slot of a scan with this tag and type that admitted its visitor; `None` without any.
    - `visit`: see `VisitFacts`; `None` if the pass has made no visit.
    - `next_checkout`: time of the first Checkout with this tag after `at` that admitted its visitor; `None` without
      any. Offline kiosks upload in any order: sort a batch by `scanned_at` first, and this covers the remaining cases.
    - `occupancy`: visits at this venue that include `at` (arrived by then, not left by then).

    A scan admitted its visitor if the kiosk's result, or the server's if there is none, is Approved.
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
    """A scan as received. `scanned_at` and `received_at` are Unix seconds.

    `kiosk_result` is what a kiosk decided offline and already acted on; `None` if the server decides.
    """

    type: ScanType
    scanned_at: float
    received_at: float
    readings: Readings = Readings()
    kiosk_result: Result | None = None


@dataclass(frozen=True, slots=True)
class VisitChange:
    """The effect on the visit, and whether the scan counts a head (once for each pass).

    `left` is the end of a visit that starts here, if its Checkout was uploaded before its Checkin.
    """

    effect: VisitEffect = VisitEffect.NONE
    counts_head: bool = False
    left: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The server's own verdict on a scan.

    `cause` is `None` for Approved and for a known scan_id. `store` is `False` if nothing may be stored: for the
    response to a known scan_id, and for a scan of an erased pass.
    """

    result: Result
    cause: Cause | None = None
    visit: VisitChange = VisitChange()
    store: bool = True


def check_arrival(*, scanned_at: float, received_at: float) -> Cause | None:
    """Return a cause unless a scan is at most 7 days old and at most 2 minutes in the future."""
    if received_at - scanned_at > LATEST_SECONDS:
        return Cause.TOO_LATE
    if scanned_at - received_at > EARLIEST_SECONDS:
        return Cause.TOO_EARLY
    return None


def replay_slot(go_pass: GoPass, scanned_at: float) -> int:
    """Return the slot under which a scan counts once: the displayed one, or that of the door's clock (static pass)."""
    return slot_at(go_pass.epoch_start, scanned_at) if go_pass.slot is None else go_pass.slot


def decide_scan(*, parsed: GoPass | Cause, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Verdict:
    """Approve or decline a scan, with the first cause in the order of `Cause`.

    `parsed` is the result of `parse_pass` for the device's venue at `scan.scanned_at`. A known scan_id gets its first
    result. A Checkout needs a valid pass, the rotating code if it is required, and an unused slot; nothing else.
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
    """Return the effect of a scan on the visit: an admitted person makes it.

    Without a kiosk's result, the server's verdict decides. With one, an Approved by the kiosk changes the visit if the
    pass verifies and arrived in time, regardless of the server's view of limits, readings, hours, revocation or the
    static form: the person did go through. A code that counted before, an erased pass and a repeated scan_id change
    nothing, nor does a Declined by the kiosk.
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
    """Return what is wrong with a pass, on the way in or out."""
    if not facts.pass_known:
        return Cause.UNKNOWN
    if facts.revoked:
        return Cause.REVOKED
    if go_pass.slot is None and door.rotating_required:
        return Cause.ROTATING_REQUIRED
    return Cause.REPLAY if _is_replay(go_pass, scan, facts) else None


def _is_replay(go_pass: GoPass, scan: Scan, facts: ScanFacts) -> bool:
    """Return whether a slot counted before. For live scans, a slot before the last one is a replay too.

    Anybody who sees `x_j` can compute `x_{j-1}`, which a door accepts for another minute: without the second rule, a
    photo of a used code would open the door once more. Scans of offline kiosks arrive in any order, so that for them
    the order of arrival has no meaning.
    """
    if facts.slot_used:
        return True
    if scan.kiosk_result is not None or facts.last_slot is None:
        return False
    return replay_slot(go_pass, scan.scanned_at) <= facts.last_slot


def _entry_cause(go_pass: GoPass, scan: Scan, door: DoorRequirements, facts: ScanFacts) -> Cause | None:
    """Return what keeps a valid pass outside."""
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
    """Compare readings with limits. Written so that a NaN declines."""
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
    """Return the effect of a scan on the visit, given that the person went through."""
    visit = facts.visit
    if scan.type is ScanType.CHECKOUT:
        ends = visit is not None and not visit.checked_out and visit.is_inside(scan.scanned_at)
        return VisitChange(VisitEffect.END if ends else VisitEffect.NONE)
    if visit is None:
        return VisitChange(VisitEffect.START, counts_head=True, left=facts.next_checkout)
    if visit.left is not None and visit.left <= scan.scanned_at:
        return VisitChange(VisitEffect.RESTART, left=facts.next_checkout)
    return VisitChange(VisitEffect.CONTINUE)
