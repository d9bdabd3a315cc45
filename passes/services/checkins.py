"""Check-in: four answers become a pass, or friendly advice."""

import datetime as dt
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from common.crypto import b64encode
from common.web import throttles
from common.web.problems import Conflict, FieldError, Gone, Invalid, NotFound, TooMany
from passes import keys, ticket_keys
from passes.admission import Advice, AdviceCode, Answers, CheckinRules, CheckinState, Judgement, judge_answers
from passes.authentication import no_ticket
from passes.clock import calendar, epoch_of
from passes.codec import sign_pass, static_text
from passes.codec.epochs import Epoch
from passes.codec.limits import UNMARKED_ONE_IN
from passes.codec.ticket_keys import TicketClass
from passes.codec.tickets import Ticket
from passes.hashes import body_hash, pass_tag, spent_ticket_hash
from passes.models import Pass, SpentTicket
from passes.rules import checkin_rules, epoch_day
from passes.services.tombstones import is_buried
from venues import selectors as places
from venues.models import Venue
from venues.services.events import take_invitation

_OPEN: Final = CheckinState(open=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinRequest:
    """The request of a visitor. `venue` is a public id, `epoch` its date."""

    venue: str
    epoch: dt.date
    anchor: bytes = field(repr=False)
    owner_hash: bytes = field(repr=False)
    answers: Answers = field(repr=False)
    survey_seconds: int
    invitation: str | None = field(default=None, repr=False)

    @property
    def body(self) -> bytes:
        """Return its values in one form, however the request wrote them; the ticket is bound to it."""
        answers = [self.answers.symptoms, self.answers.diagnosed, self.answers.contact, self.answers.near]
        hashes = [b64encode(self.anchor), b64encode(self.owner_hash)]
        values = [self.venue, self.epoch.isoformat(), *hashes, answers, self.survey_seconds, self.invitation]
        return json.dumps(values).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckinAnswer:
    """The result for the visitor: the text of the pass, or what would have to change. `new`: a row was made for it."""

    epoch: Epoch
    credential: str | None
    advice: tuple[Advice, ...]
    new: bool

    @property
    def go(self) -> bool:
        """Return whether a pass was issued."""
        return self.credential is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """A check-in with what is known about its venue and day."""

    ticket: Ticket
    request: CheckinRequest
    venue: Venue
    epoch: Epoch
    rules: CheckinRules
    now: dt.datetime

    def judge(self, state: CheckinState) -> Judgement:
        """Judge the answers."""
        return judge_answers(answers=self.request.answers, rules=self.rules, state=state)


def check_in(*, ticket: Ticket, request: CheckinRequest, now: dt.datetime) -> CheckinAnswer:
    """Judge the answers once, and issue a pass or advice. Nothing here knows a visitor.

    The ticket is spent if a pass or a refusal by answers is written, and only then. The same ticket with the same
    request gets the same result until what was written is erased or revoked. With another request, or with a known
    anchor or owner hash, raise `Conflict`. For a ticket that no key of the epoch signed, raise `Unauthorized`.
    """
    venue, epoch = _venue(request.venue), _epoch(request.epoch)
    rules = checkin_rules(venue, epoch)
    attempt = _Attempt(ticket=ticket, request=request, venue=venue, epoch=epoch, rules=rules, now=now)
    is_open = calendar().is_open(epoch, now.timestamp())
    counted = is_open and _is_counted(ticket, epoch)
    known = _is_known(request)  # before the ticket: a concurrent twin is then found by the ticket
    repeated = _repeat(attempt)
    if repeated is not None:
        return repeated
    if not is_open:
        closed = attempt.judge(CheckinState(open=False))
        return CheckinAnswer(epoch=epoch, credential=None, advice=closed.advice, new=False)
    if known:
        raise _conflict()
    keys.signer(epoch, now)  # outside of the transaction below: a failed check-in must not roll back a new key
    try:
        judgement = _issue(attempt, counted=counted)
    except IntegrityError:
        # The same ticket, anchor or owner hash came at the same time and was first.
        repeated = _repeat(attempt)
        if repeated is not None:
            return repeated
        if _is_known(request):
            raise _conflict() from None
        raise
    return _answer(attempt, judgement, new=not _lacks_invitation(judgement))


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


def _is_counted(ticket: Ticket, epoch: Epoch) -> bool:
    """Return whether a pass for this ticket counts in the open dataset.

    Raise `Unauthorized` if it is not of the epoch.
    """
    public = ticket_keys.epoch_keys(epoch)
    ticket_class = public and public.class_of(ticket, epoch)
    if public is None or ticket_class is None:
        raise no_ticket()
    return public.counts and ticket_class is TicketClass.COUNTED and _is_marked()


def _is_marked() -> bool:
    """Toss a coin: without it, an unmarked pass would be somebody's fourth or later."""
    return secrets.randbelow(UNMARKED_ONE_IN) != 0


def _is_known(request: CheckinRequest) -> bool:
    """Return whether the anchor or the owner hash made a pass or a refusal before, also one that is erased."""
    if is_buried(anchor=request.anchor, owner_hash=request.owner_hash):
        return True
    return Pass.objects.filter(Q(tag=pass_tag(request.anchor)) | Q(owner_hash=request.owner_hash)).exists()


def _conflict() -> Conflict:
    return Conflict(_("This was used before. Use the next ticket and the next pass of the pass book."))


# A new check-in ------------------------------------------------------------------------------------------------------
@transaction.atomic
def _issue(attempt: _Attempt, *, counted: bool) -> Judgement:
    """Spend the ticket and write the row in one transaction; neither if an invitation is missing."""
    judgement = _judge(attempt)
    if not _lacks_invitation(judgement):
        _spend(attempt, judgement).save(force_insert=True)
        _row(attempt, judgement, counted=counted).save(force_insert=True)
        if is_buried(anchor=attempt.request.anchor, owner_hash=attempt.request.owner_hash):  # erased just now
            raise _conflict()
    return judgement


def _spend(attempt: _Attempt, judgement: Judgement) -> SpentTicket:
    nonce = attempt.ticket.nonce
    return SpentTicket(
        nonce_hash=spent_ticket_hash(nonce),
        body_hash=body_hash(nonce, attempt.request.body),
        go=judgement.go,
        epoch=attempt.epoch.date,
    )


def _row(attempt: _Attempt, judgement: Judgement, *, counted: bool) -> Pass:
    request, epoch = attempt.request, attempt.epoch
    return Pass(
        tag=pass_tag(request.anchor),
        anchor=request.anchor,
        venue=attempt.venue,
        epoch=epoch.date,
        owner_hash=request.owner_hash,
        symptoms=request.answers.symptoms,
        diagnosed=request.answers.diagnosed,
        contact=request.answers.contact,
        near=request.answers.near,
        survey_seconds=request.survey_seconds,
        go=judgement.go,
        refused_hour=None if judgement.go else calendar().dataset_hour(epoch, attempt.now.timestamp()),
        counted=counted,
    )


def _judge(attempt: _Attempt) -> Judgement:
    """Judge everything at once. A pass and a refusal by answers both use up an invitation.

    If only a pass did, the host could find out what a guest answered by trying the guest's code.
    """
    code = attempt.request.invitation
    if not attempt.rules.invitation_needed or not code:
        return attempt.judge(_OPEN)
    _limit_invitations(attempt.venue)
    start, end = epoch_day(attempt.epoch)
    valid = take_invitation(venue_id=attempt.venue.pk, code=code, start=start, end=end)
    return attempt.judge(CheckinState(open=True, invitation_valid=valid))


def _lacks_invitation(judgement: Judgement) -> bool:
    codes = {advice.code for advice in judgement.advice}
    return bool(codes & {AdviceCode.INVITATION_NEEDED, AdviceCode.INVITATION_UNKNOWN})


def _limit_invitations(venue: Venue) -> None:
    """Count an attempt by its venue: it spends no ticket, so nothing else limits how many codes one can try."""
    verdict = throttles.hit("invitation", venue.public_id)
    if verdict is not None and not verdict.allowed:
        raise TooMany(retry_after=verdict.reset)


def _answer(attempt: _Attempt, judgement: Judgement, *, new: bool) -> CheckinAnswer:
    credential = None
    if judgement.go:
        key = keys.signer(attempt.epoch, attempt.now)
        if key is None:
            raise Gone(_("This day is over, and its passes with it."))
        venue, anchor = attempt.venue.public_id, attempt.request.anchor
        credential = static_text(sign_pass(key, venue=venue, epoch_start=attempt.epoch.start, anchor=anchor))
    return CheckinAnswer(epoch=attempt.epoch, credential=credential, advice=judgement.advice, new=new)


# The same one again --------------------------------------------------------------------------------------------------
def _repeat(attempt: _Attempt) -> CheckinAnswer | None:
    """Return the result that this ticket had for this request; `None` if it is not spent. Otherwise raise `Conflict`.

    Ed25519 signatures are deterministic, so the pass is signed again instead of being stored. Only answers cause a
    refusal that is stored, and the rules on answers of an epoch do not change.
    """
    ticket, request = attempt.ticket, attempt.request
    spent = SpentTicket.objects.filter(pk=spent_ticket_hash(ticket.nonce)).first()
    if spent is None:
        return None
    if not hmac.compare_digest(bytes(spent.body_hash), body_hash(ticket.nonce, request.body)):
        raise _conflict()
    if not Pass.objects.filter(tag=pass_tag(request.anchor), revoked=False).exists():
        raise _conflict()
    invited = CheckinState(open=True, invitation_valid=True)
    judgement = Judgement(()) if spent.go else attempt.judge(invited)
    return _answer(attempt, judgement, new=False)
