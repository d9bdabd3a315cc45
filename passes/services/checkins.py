"""Check-in: four answers become a pass, or friendly advice."""

import datetime as dt
import hmac
import json
import secrets
from dataclasses import dataclass, field
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from common.crypto import b64encode
from common.web import throttles
from common.web.problems import Conflict, FieldError, Gone, Invalid, NotFound, TooMany
from passes import keys, ticket_keys
from passes.admission import Advice, AdviceCode, Answers, CheckinState, Judgement, judge_answers
from passes.authentication import no_ticket
from passes.clock import calendar, epoch_of, moment
from passes.codec import sign_pass, static_text
from passes.codec.epochs import Epoch
from passes.codec.ticket_keys import TicketClass
from passes.codec.tickets import Ticket
from passes.hashes import body_hash, pass_tag, spent_ticket_hash
from passes.limits import UNMARKED_ONE_IN
from passes.rules import epoch_day
from passes.services import checkin_sql
from passes.services.checkin_sql import CheckinFacts, CheckinQuery, CheckinRecord, Spent
from venues import selectors as places
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
    """A check-in of an epoch, with the hashes that it is known by."""

    ticket: Ticket
    request: CheckinRequest
    epoch: Epoch
    now: dt.datetime
    query: CheckinQuery
    body_hash: bytes

    @classmethod
    def of(cls, ticket: Ticket, request: CheckinRequest, epoch: Epoch, now: dt.datetime) -> "_Attempt":
        """Compute the hashes."""
        day_start, day_end = epoch_day(epoch)
        query = CheckinQuery(
            venue=places.storable(request.venue),
            nonce_hash=spent_ticket_hash(ticket.nonce),
            tag=pass_tag(request.anchor),
            owner_hash=request.owner_hash,
            opened=moment(epoch.checkin_opens),
            day_start=day_start,
            day_end=day_end,
        )
        spent_on = body_hash(ticket.nonce, request.body)
        return cls(ticket=ticket, request=request, epoch=epoch, now=now, query=query, body_hash=spent_on)

    def facts(self) -> CheckinFacts:
        """Read what is known now; raises `NotFound` for an unknown venue."""
        found = checkin_sql.read_facts(self.query)
        if found is None:
            raise _no_venue()
        return found

    def judge(self, facts: CheckinFacts, state: CheckinState) -> Judgement:
        """Judge the answers."""
        return judge_answers(answers=self.request.answers, rules=facts.rules, state=state)


def check_in(*, ticket: Ticket, request: CheckinRequest, now: dt.datetime) -> CheckinAnswer:
    """Judge the answers once, and issue a pass or advice. Nothing here knows a visitor.

    The ticket is spent if a pass or a refusal by answers is written, and only then. The same ticket with the same
    request gets the same result until what was written is erased or revoked. With another request, or with a known
    anchor or owner hash, raise `Conflict`. For a ticket that no key of the epoch signed, raise `Unauthorized`.
    """
    epoch = _epoch(request)
    attempt = _Attempt.of(ticket, request, epoch, now)
    facts = attempt.facts()
    is_open = calendar().is_open(epoch, now.timestamp())
    counted = is_open and _is_counted(ticket, epoch)
    if facts.spent is not None:
        return _repeat(attempt, facts, facts.spent)
    if not is_open:
        closed = attempt.judge(facts, CheckinState(open=False))
        return CheckinAnswer(epoch=epoch, credential=None, advice=closed.advice, new=False)
    if facts.known:
        raise _conflict()
    keys.signer(epoch, now)  # outside of the transaction below: a failed check-in must not roll back a new key
    try:
        judgement = _issue(attempt, facts, counted=counted)
    except IntegrityError:
        # The same ticket, anchor or owner hash came at the same moment and was first.
        facts = attempt.facts()
        if facts.spent is not None:
            return _repeat(attempt, facts, facts.spent)
        if facts.known:
            raise _conflict() from None
        raise
    return _answer(attempt, judgement, new=not _lacks_invitation(judgement))


def _epoch(request: CheckinRequest) -> Epoch:
    epoch = epoch_of(request.epoch)
    if epoch is None:
        if places.open_venue(request.venue) is None:
            raise _no_venue()
        raise Invalid.field("/epoch", _("This day does not exist here."), "unknown")
    return epoch


def _no_venue() -> NotFound:
    return NotFound(errors=[FieldError("/venue", _("This venue does not exist or has closed."), "unknown")])


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


def _conflict() -> Conflict:
    return Conflict(_("This was used before. Use the next ticket and the next pass of the pass book."))


# A new check-in ------------------------------------------------------------------------------------------------------
@transaction.atomic
def _issue(attempt: _Attempt, facts: CheckinFacts, *, counted: bool) -> Judgement:
    """Spend the ticket and write the row, in one transaction; neither where an invitation is missing."""
    judgement = _judge(attempt, facts)
    if not _lacks_invitation(judgement) and not checkin_sql.record(_row(attempt, facts, judgement, counted=counted)):
        raise _conflict()
    return judgement


def _row(attempt: _Attempt, facts: CheckinFacts, judgement: Judgement, *, counted: bool) -> CheckinRecord:
    request, epoch = attempt.request, attempt.epoch
    return CheckinRecord(
        nonce_hash=attempt.query.nonce_hash,
        body_hash=attempt.body_hash,
        tag=attempt.query.tag,
        anchor=request.anchor,
        venue=facts.venue,
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


def _judge(attempt: _Attempt, facts: CheckinFacts) -> Judgement:
    """Judge everything at once. A pass and a refusal by answers use up an invitation alike.

    If only a pass did, the host could find out what a guest answered by trying the guest's code.
    """
    code = attempt.request.invitation
    if not facts.rules.invitation_needed or not code:
        return attempt.judge(facts, _OPEN)
    _limit_invitations(attempt.request.venue)
    valid = take_invitation(venue_id=facts.venue, code=code, start=attempt.query.day_start, end=attempt.query.day_end)
    return attempt.judge(facts, CheckinState(open=True, invitation_valid=valid))


def _lacks_invitation(judgement: Judgement) -> bool:
    codes = {advice.code for advice in judgement.advice}
    return bool(codes & {AdviceCode.INVITATION_NEEDED, AdviceCode.INVITATION_UNKNOWN})


def _limit_invitations(venue: str) -> None:
    """Count a try by its venue: it spends no ticket, so nothing else bounds how many codes one may try."""
    verdict = throttles.hit("invitation", venue)
    if verdict is not None and not verdict.allowed:
        raise TooMany(retry_after=verdict.reset)


def _answer(attempt: _Attempt, judgement: Judgement, *, new: bool) -> CheckinAnswer:
    credential = None
    if judgement.go:
        key = keys.signer(attempt.epoch, attempt.now)
        if key is None:
            raise Gone(_("This day is over, and so are its passes."))
        venue, anchor = attempt.request.venue, attempt.request.anchor
        credential = static_text(sign_pass(key, venue=venue, epoch_start=attempt.epoch.start, anchor=anchor))
    return CheckinAnswer(epoch=attempt.epoch, credential=credential, advice=judgement.advice, new=new)


# The same one again --------------------------------------------------------------------------------------------------
def _repeat(attempt: _Attempt, facts: CheckinFacts, spent: Spent) -> CheckinAnswer:
    """Return the answer that this ticket had for this very request; raise `Conflict` for another one.

    Ed25519 signatures are deterministic, so the pass is signed again instead of being stored. Only answers cause a
    refusal that is stored, and the rules on answers of an epoch do not change.
    """
    if not hmac.compare_digest(spent.body_hash, attempt.body_hash) or not facts.is_valid:
        raise _conflict()
    invited = CheckinState(open=True, invitation_valid=True)
    judgement = Judgement(()) if spent.go else attempt.judge(facts, invited)
    return _answer(attempt, judgement, new=False)
