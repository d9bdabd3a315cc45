"""Check-in: four answers become a pass, or kind advice."""

import datetime as dt
import secrets
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.web.problems import Conflict, FieldError, Gone, Invalid, NotFound, TooMany
from passes import keys
from passes.admission import Advice, AdviceCode, Answers, CheckinRules, CheckinState, Judgement, judge_answers
from passes.clock import calendar, epoch_of
from passes.codec import sign_pass, static_text
from passes.codec.epochs import Epoch
from passes.codec.limits import COUNTED_PASSES, UNMARKED_ONE_IN
from passes.hashes import pass_tag
from passes.models import Pass
from passes.rules import checkin_rules, epoch_day
from passes.services import visitors
from venues import selectors as places
from venues.models import Venue
from venues.services.events import take_invitation


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinRequest:
    """What a visitor sends. `venue` is a public id, `epoch` its date."""

    venue: str
    epoch: dt.date
    anchor: bytes = field(repr=False)
    owner_hash: bytes = field(repr=False)
    answers: Answers = field(repr=False)
    survey_seconds: int
    invitation: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAnswer:
    """What the visitor learns: the text of the pass, or what would have to change. `new`: a row was made for it."""

    epoch: Epoch
    credential: str | None
    advice: tuple[Advice, ...]
    new: bool

    @property
    def go(self) -> bool:
        """A pass was given."""
        return self.credential is not None


def check_in(*, key_hash: bytes, request: CheckinRequest, now: dt.datetime) -> CheckinAnswer:
    """Judge the answers once and give a pass, or advice.

    The same request gets the same answer and draws nothing. A known anchor or owner hash with anything else in the
    request is a `Conflict`. Both a pass and a refusal count among the sixteen of an epoch and use up their anchor;
    where check-in is closed nothing is counted or kept.
    """
    visitors.note_use(key_hash=key_hash, now=now)
    venue, epoch = _venue(request.venue), _epoch(request.epoch)
    rules = checkin_rules(venue, epoch)
    repeated = _repeat(venue, epoch, rules, request, now)
    if repeated is not None:
        return repeated
    if not calendar().is_open(epoch, now.timestamp()):
        return _answer_closed(venue, epoch, rules, request)
    keys.signer(epoch, now)  # made outside of the transaction below: a key must not vanish with a failed check-in
    number = visitors.draw(key_hash=key_hash, epoch=epoch)
    if number is None:
        retry_after = calendar().checkin_closes(epoch) - now.timestamp()
        raise TooMany(_("All passes of this day are drawn. Come back for the next day."), retry_after=retry_after)
    try:
        judgement = _issue(venue, epoch, rules, request, counted=_is_counted(number), now=now)
    except IntegrityError:
        # The same anchor or owner hash came at the same moment and was first.
        visitors.give_back(key_hash=key_hash, epoch=epoch)
        repeated = _repeat(venue, epoch, rules, request, now)
        if repeated is None:
            raise
        return repeated
    return _answer(venue, epoch, judgement, request, now=now, new=True)


def _venue(public_id: str) -> Venue:
    venue = places.open_venue(public_id)
    if venue is None:
        raise NotFound(errors=[FieldError("/venue", _("There is no such venue, or it has closed."), "unknown")])
    return venue


def _epoch(date: dt.date) -> Epoch:
    epoch = epoch_of(date)
    if epoch is None:
        raise Invalid.field("/epoch", _("There is no such day here."), "unknown")
    return epoch


def _is_counted(number: int) -> bool:
    return number <= COUNTED_PASSES and secrets.randbelow(UNMARKED_ONE_IN) != 0


@transaction.atomic
def _issue(
    venue: Venue, epoch: Epoch, rules: CheckinRules, request: CheckinRequest, *, counted: bool, now: dt.datetime
) -> Judgement:
    judgement = _judge(venue, epoch, rules, request, is_open=True, spend=True)
    hour = None if judgement.go else calendar().dataset_hour(epoch, now.timestamp())
    row = Pass(
        tag=pass_tag(request.anchor),
        anchor=request.anchor,
        venue=venue,
        epoch=epoch.date,
        owner_hash=request.owner_hash,
        symptoms=request.answers.symptoms,
        diagnosed=request.answers.diagnosed,
        contact=request.answers.contact,
        near=request.answers.near,
        survey_seconds=request.survey_seconds,
        go=judgement.go,
        refused_hour=hour,
        counted=counted,
    )
    row.save(force_insert=True)
    return judgement


def _judge(
    venue: Venue, epoch: Epoch, rules: CheckinRules, request: CheckinRequest, *, is_open: bool, spend: bool
) -> Judgement:
    """Judge everything at once. A use of the invitation is spent only where `spend` is asked and a pass is given."""
    if not rules.invitation_needed or not request.invitation:
        return judge_answers(answers=request.answers, rules=rules, state=CheckinState(open=is_open))
    start, end = epoch_day(epoch)
    with transaction.atomic():
        valid = take_invitation(venue_id=venue.pk, code=request.invitation, start=start, end=end)
        state = CheckinState(open=is_open, invitation_valid=valid)
        judgement = judge_answers(answers=request.answers, rules=rules, state=state)
        if not (spend and judgement.go):
            transaction.set_rollback(True)
    return judgement


def _answer(
    venue: Venue, epoch: Epoch, judgement: Judgement, request: CheckinRequest, *, now: dt.datetime, new: bool
) -> CheckinAnswer:
    credential = None
    if judgement.go:
        key = keys.signer(epoch, now)
        if key is None:
            raise Gone(_("This day is over, and its passes with it."))
        pass_bytes = sign_pass(key, venue=venue.public_id, epoch_start=epoch.start, anchor=request.anchor)
        credential = static_text(pass_bytes)
    return CheckinAnswer(epoch=epoch, credential=credential, advice=judgement.advice, new=new)


def _answer_closed(venue: Venue, epoch: Epoch, rules: CheckinRules, request: CheckinRequest) -> CheckinAnswer:
    judgement = _judge(venue, epoch, rules, request, is_open=False, spend=False)
    return CheckinAnswer(epoch=epoch, credential=None, advice=judgement.advice, new=False)


def _repeat(
    venue: Venue, epoch: Epoch, rules: CheckinRules, request: CheckinRequest, now: dt.datetime
) -> CheckinAnswer | None:
    """The answer that this very request had; `None` for a new one; raises `Conflict` where only a part is known.

    Signatures of Ed25519 are deterministic, so the pass is signed again instead of being kept.
    """
    tag = pass_tag(request.anchor)
    rows = list(Pass.objects.filter(Q(tag=tag) | Q(owner_hash=request.owner_hash)).select_related("venue"))
    if not rows:
        return None
    row = rows[0]
    if len(rows) > 1 or not _is_same(row, tag, venue, epoch, request):
        raise Conflict(_("This pass was drawn before, with other words. Use the next one of the pass book."))
    if row.go:
        return _answer(venue, epoch, Judgement(()), request, now=now, new=False)
    judgement = _judge(venue, epoch, rules, request, is_open=True, spend=False)
    if judgement.go:  # it was refused for an invitation that has become good since; its anchor is used up
        missing = AdviceCode.INVITATION_UNKNOWN if request.invitation else AdviceCode.INVITATION_NEEDED
        judgement = Judgement((Advice(missing),))
    return CheckinAnswer(epoch=epoch, credential=None, advice=judgement.advice, new=False)


def _is_same(row: Pass, tag: bytes, venue: Venue, epoch: Epoch, request: CheckinRequest) -> bool:
    answers = Answers(symptoms=row.symptoms, diagnosed=row.diagnosed, contact=row.contact, near=row.near)
    stored = (bytes(row.tag), bytes(row.owner_hash), row.venue_id, row.epoch, answers, row.survey_seconds)
    asked = (tag, request.owner_hash, venue.pk, epoch.date, request.answers, request.survey_seconds)
    return stored == asked
