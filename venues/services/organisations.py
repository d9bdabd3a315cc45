"""Organisations and their members."""

import datetime as dt
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from common import audit, crypto
from common.text import clean_name
from common.web.problems import Gone, Invalid
from venues.kinds import OrganisationKind, Role
from venues.models import Device, Event, MemberCode, Membership, Organisation, Venue
from venues.refusals import conflict
from venues.services.checks import clean
from venues.services.codes import NewCode, new_code, tidy

MEMBER_CODE_LIFE: Final = dt.timedelta(days=7)


@transaction.atomic
def create_organisation(*, owner: User, name: str, kind: str, now: dt.datetime) -> Organisation:
    """Create an unverified organisation whose only member is its owner."""
    organisation = Organisation(name=name, kind=kind, created_at=now)
    clean(organisation)
    organisation.save(force_insert=True)
    Membership.objects.create(organisation=organisation, user=owner, role=Role.OWNER)
    _record(organisation, owner.username, "organisation.created", now)
    return organisation


@transaction.atomic
def update_organisation(
    *, organisation: Organisation, actor: str, now: dt.datetime, name: str | None = None, kind: str | None = None
) -> Organisation:
    """Rename an organisation or change its kind. It is then unverified again."""
    locked = lock_open(organisation)
    wanted = (clean_name(name) if name is not None else locked.name, kind if kind is not None else locked.kind)
    if wanted == (locked.name, locked.kind):
        return locked
    locked.name, locked.kind = wanted
    locked.verified_at = None
    clean(locked)
    if locked.kind != OrganisationKind.COMMERCIAL and locked.venues.filter(unmanned=True, closed_at=None).exists():
        raise conflict("unmanned", _("Only a commercial organisation has places without staff. Change those first."))
    locked.save(update_fields=["name", "kind", "verified_at"])
    _record(locked, actor, "organisation.updated", now)
    return locked


@transaction.atomic
def close_organisation(*, organisation: Organisation, actor: str, now: dt.datetime) -> None:
    """Close an organisation permanently: its venues close, its devices lose their tokens, its events are cancelled.

    The rows are deleted a month later, when no visit depends on them any more. Closing twice changes nothing.
    """
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if locked.closed_at is not None:
        return
    locked.closed_at = now
    locked.save(update_fields=["closed_at"])
    Device.objects.filter(door__venue__organisation=locked, revoked_at=None).update(revoked_at=now)
    Event.objects.filter(venue__organisation=locked, cancelled_at=None, ends_at__gt=now).update(cancelled_at=now)
    Venue.objects.filter(organisation=locked, closed_at=None).update(closed_at=now)
    locked.member_codes.all().delete()
    _record(locked, actor, "organisation.closed", now)


@transaction.atomic
def verify_organisation(*, organisation: Organisation, actor: str, now: dt.datetime) -> Organisation:
    """Verify an organisation as the operator: from now on its venues count in release, radar and estimates."""
    locked = lock_open(organisation)
    if locked.verified_at is None:
        locked.verified_at = now
        locked.save(update_fields=["verified_at"])
        _record(locked, actor, "organisation.verified", now)
    return locked


@transaction.atomic
def unverify_organisation(*, organisation: Organisation, actor: str, now: dt.datetime) -> Organisation:
    """Withdraw the operator's verification."""
    locked = lock_open(organisation)
    if locked.verified_at is not None:
        locked.verified_at = None
        locked.save(update_fields=["verified_at"])
        _record(locked, actor, "organisation.unverified", now)
    return locked


@transaction.atomic
def make_member_code(*, organisation: Organisation, role: str, actor: str, now: dt.datetime) -> NewCode:
    """Create a one-time code, valid for seven days, that makes its user a member with this role."""
    if role not in Role.values:
        raise Invalid.field("/role", _("No such role."), "invalid_choice")
    lock_open(organisation)
    code = new_code()
    expires_at = now + MEMBER_CODE_LIFE
    MemberCode.objects.create(
        organisation=organisation, role=role, code_hash=crypto.token_hash(code), expires_at=expires_at
    )
    _record(organisation, actor, "member.invited", now, role=role)
    return NewCode(code, expires_at)


@transaction.atomic
def redeem_member_code(*, user: User, code: str, now: dt.datetime) -> Membership:
    """Become a member with a code. An existing member keeps the role and leaves the code unused."""
    row = (
        MemberCode.objects.select_for_update(of=("self",))
        .select_related("organisation")
        .filter(
            code_hash=crypto.token_hash(tidy(code)),
            used_at=None,
            expires_at__gt=now,
            organisation__closed_at__isnull=True,
        )
        .first()
    )
    if row is None:
        raise Invalid.field("/code", _("This code is unknown, used up or too old. Ask for a new one."), "unknown")
    membership, made = Membership.objects.get_or_create(
        organisation=row.organisation, user=user, defaults={"role": row.role}
    )
    if made:
        row.used_at = now
        row.save(update_fields=["used_at"])
        _record(row.organisation, user.username, "member.joined", now, role=row.role)
    return membership


@transaction.atomic
def change_member_role(*, membership: Membership, role: str, actor: str, now: dt.datetime) -> Membership:
    """Change a member's role; the last owner stays one."""
    if role not in Role.values:
        raise Invalid.field("/role", _("No such role."), "invalid_choice")
    lock_open(membership.organisation)
    membership.refresh_from_db(fields=["role"])
    if membership.role == role:
        return membership
    if role != Role.OWNER:
        _keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    _record(membership.organisation, actor, "member.changed", now, member=membership.user.username, role=role)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, actor: str, now: dt.datetime) -> None:
    """End a membership, the user's own or another's; the last owner cannot leave an open organisation."""
    organisation = Organisation.objects.select_for_update().get(pk=membership.organisation_id)
    if organisation.closed_at is None:
        _keep_an_owner(membership)
    membership.delete()
    _record(organisation, actor, "member.removed", now, member=membership.user.username)


def lock_open(organisation: Organisation) -> Organisation:
    """Return the organisation's row, locked until the transaction ends. Raise `Gone` if it is closed."""
    locked = Organisation.objects.select_for_update().get(pk=organisation.pk)
    if locked.closed_at is not None:
        raise Gone(_("This organisation is closed."))
    return locked


def _keep_an_owner(membership: Membership) -> None:
    # The organisation's row is locked, so that two owners cannot leave at the same time.
    others = Membership.objects.filter(
        organisation=membership.organisation_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=membership.pk)
    if not others.exists() and Membership.objects.filter(pk=membership.pk, role=Role.OWNER).exists():
        raise conflict("last_owner", _("The last owner cannot leave. Make somebody else an owner, or close it."))


def _record(
    organisation: Organisation, actor: str, verb: str, now: dt.datetime, **details: str | int | bool | None
) -> None:
    audit.record(
        actor=actor,
        verb=verb,
        subject=organisation.public_id,
        organisation=organisation.public_id,
        now=now,
        **details,
    )
