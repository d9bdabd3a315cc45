"""Organisations, members, verification, closing, export."""

import datetime as dt
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from common.models import AuditEntry
from common.purge import purge_expired
from common.web.problems import Conflict, Forbidden, Gone, Invalid, NotFound
from tests.factories import NOW, join, make_device, make_event, make_organisation, make_user, make_venue, owner_of
from tests.venues.conftest import Race, World, call
from venues import selectors
from venues.kinds import Role
from venues.models import Device, EnrolmentCode, Event, Membership, Organisation, Venue
from venues.services.events import invitation_code
from venues.services.export import export_organisation
from venues.services.organisations import (
    change_member_role,
    close_organisation,
    make_member_code,
    redeem_member_code,
    remove_member,
    unverify_organisation,
    update_organisation,
    verify_organisation,
)

pytestmark = pytest.mark.django_db


def membership(user: User) -> Membership:
    return Membership.objects.select_related("organisation", "user").get(user=user)


class TestMembers:
    def test_a_code_makes_one_member(self) -> None:
        organisation = make_organisation()
        code = make_member_code(organisation=organisation, role=Role.MANAGER, actor="owner", now=NOW).code
        assert redeem_member_code(user=make_user(), code=code, now=NOW).role == Role.MANAGER
        with pytest.raises(Invalid):
            redeem_member_code(user=make_user(), code=code, now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_one_of_two_concurrent_redemptions_joins(self, race: Race) -> None:
        organisation = make_organisation()
        code = make_member_code(organisation=organisation, role=Role.VIEWER, actor="owner", now=NOW).code
        people = [make_user(), make_user()]
        results = race(lambda: redeem_member_code(user=people.pop(), code=code, now=NOW), 2)
        assert sorted(type(one).__name__ for one in results) == ["Invalid", "Membership"]

    def test_a_code_of_a_member_is_not_used_up_and_changes_no_role(self) -> None:
        organisation = make_organisation()
        code = make_member_code(organisation=organisation, role=Role.VIEWER, actor="owner", now=NOW).code
        kept = redeem_member_code(user=owner_of(organisation), code=code, now=NOW)
        assert kept.role == Role.OWNER
        redeem_member_code(user=make_user(), code=code, now=NOW)

    def test_a_code_ends_after_seven_days_and_with_its_organisation(self) -> None:
        organisation = make_organisation()
        code = make_member_code(organisation=organisation, role=Role.VIEWER, actor="owner", now=NOW).code
        with pytest.raises(Invalid):
            redeem_member_code(user=make_user(), code=code, now=NOW + dt.timedelta(days=7))
        close_organisation(organisation=organisation, actor="owner", now=NOW)
        with pytest.raises(Invalid):
            redeem_member_code(user=make_user(), code=code, now=NOW)

    def test_the_last_owner_can_neither_leave_nor_step_down(self) -> None:
        organisation = make_organisation()
        last = membership(owner_of(organisation))
        with pytest.raises(Conflict):
            remove_member(membership=last, actor="owner", now=NOW)
        with pytest.raises(Conflict):
            change_member_role(membership=last, role=Role.VIEWER, actor="owner", now=NOW)

    def test_an_owner_who_is_switched_off_does_not_count(self) -> None:
        organisation = make_organisation()
        join(organisation, Role.OWNER, user=make_user(is_active=False))
        with pytest.raises(Conflict):
            remove_member(membership=membership(owner_of(organisation)), actor="owner", now=NOW)

    @pytest.mark.django_db(transaction=True)
    def test_two_owners_who_leave_at_once_leave_one_behind(self, race: Race) -> None:
        organisation = make_organisation()
        join(organisation, Role.OWNER)
        rows = list(organisation.memberships.select_related("organisation", "user"))
        results = race(lambda: remove_member(membership=rows.pop(), actor="owner", now=NOW), 2)
        assert sorted(type(one).__name__ for one in results) == ["Conflict", "NoneType"]
        assert organisation.memberships.filter(role=Role.OWNER).count() == 1

    def test_a_member_may_leave(self, world: World) -> None:
        client = Client()
        client.force_login(world.people["viewer"])
        assert call(client, "DELETE", f"/api/v1/owner/members/{world.member.public_id}").status_code == 204
        assert client.get("/api/v1/owner/venues").json()["results"] == []

    def test_a_member_who_is_removed_reads_nothing_from_then_on(self, world: World) -> None:
        client = Client()
        client.force_login(world.people["viewer"])
        address = f"/api/v1/owner/venues/{world.venue.public_id}"
        assert client.get(address).status_code == 200
        remove_member(membership=world.member, actor="owner", now=NOW)
        assert client.get(address).status_code == 404


class TestVerification:
    def test_a_new_organisation_is_unverified(self) -> None:
        assert make_organisation(verified=False).verified_at is None

    def test_the_operator_verifies_and_takes_it_back(self) -> None:
        organisation = make_organisation(verified=False)
        assert verify_organisation(organisation=organisation, actor="op", now=NOW).verified_at == NOW
        assert unverify_organisation(organisation=organisation, actor="op", now=NOW).verified_at is None
        verbs = set(AuditEntry.objects.values_list("verb", flat=True))
        assert {"organisation.verified", "organisation.unverified"} <= verbs

    def test_a_new_name_or_kind_has_to_be_verified_again(self) -> None:
        for change in ({"name": "The National Bank"}, {"kind": "faith"}):
            organisation = make_organisation()
            changed = update_organisation(organisation=organisation, actor="owner", now=NOW, **change)
            assert changed.verified_at is None

    def test_nothing_changed_stays_verified(self) -> None:
        organisation = make_organisation()
        same = update_organisation(organisation=organisation, name=organisation.name, actor="o", now=NOW)
        assert same.verified_at is not None

    def test_the_list_of_the_operator_can_be_narrowed(self, world: World) -> None:
        waiting = make_organisation(verified=False, name="Waiting")
        client = Client()
        client.force_login(world.people["operator"])
        listed = client.get("/api/v1/owner/operator/organisations?verified=false").json()["results"]
        assert [one["id"] for one in listed] == [waiting.public_id]
        (corner,) = [
            one
            for one in client.get("/api/v1/owner/operator/organisations?verified=true").json()["results"]
            if one["id"] == world.organisation.public_id
        ]
        assert (corner["open_venues"], corner["owners"]) == (1, [world.people["owner"].username])
        assert client.get("/api/v1/owner/operator/organisations?verified=maybe").status_code == 400


class TestClosing:
    def test_venues_devices_events_and_codes_end_with_it(self) -> None:
        venue = make_venue()
        device, event = make_device(venue=venue).device, make_event(venue=venue)
        close_organisation(organisation=venue.organisation, actor="owner", now=NOW)
        for row in (venue, device, event):
            row.refresh_from_db()
        assert venue.closed_at == device.revoked_at == event.cancelled_at == NOW

    def test_it_is_gone_for_its_members(self, world: World) -> None:
        close_organisation(organisation=world.organisation, actor="owner", now=NOW)
        for role_needed in (Role.VIEWER, Role.OWNER):
            with pytest.raises(NotFound):
                selectors.organisation(world.people["owner"], world.organisation.public_id, role_needed)
        with pytest.raises(NotFound):
            selectors.venue(world.people["owner"], world.venue.public_id)

    def test_nothing_can_be_made_in_it(self) -> None:
        organisation = make_organisation()
        close_organisation(organisation=organisation, actor="owner", now=NOW)
        with pytest.raises(Gone):
            make_venue(organisation=organisation)
        with pytest.raises(Gone):
            verify_organisation(organisation=organisation, actor="op", now=NOW)

    def test_closing_twice_is_one_action(self) -> None:
        organisation = make_organisation()
        for _time in range(2):
            close_organisation(organisation=organisation, actor="owner", now=NOW)
        assert AuditEntry.objects.filter(verb="organisation.closed").count() == 1

    def test_its_rows_go_after_a_month(self) -> None:
        venue = make_venue()
        make_device(venue=venue)
        make_event(venue=venue)
        close_organisation(organisation=venue.organisation, actor="owner", now=NOW)
        purge_expired(now=NOW + dt.timedelta(days=29))
        assert Organisation.objects.exists()
        purge_expired(now=NOW + dt.timedelta(days=30))
        for model in (Organisation, Venue, Device, Event, Membership, EnrolmentCode):
            assert not model.objects.exists()


class TestExport:
    def test_everything_of_the_organisation_is_in_it(self, world: World) -> None:
        client = Client()
        client.force_login(world.people["owner"])
        response = client.get(f"/api/v1/owner/organisations/{world.organisation.public_id}/export")
        assert response["Cache-Control"] == "no-store"
        data = response.json()
        (venue,) = data["venues"]
        (door,) = venue["doors"]
        (event,) = venue["events"]
        assert data["organisation"]["id"] == world.organisation.public_id
        assert {one["username"]: one["role"] for one in data["members"]} == {
            world.people[role].username: role for role in ("owner", "manager", "viewer")
        }
        assert venue["id"] == world.venue.public_id
        assert [one["version"] for one in venue["requirements"]] == [1]
        assert [one["id"] for one in door["devices"]] == [world.device.device.public_id]
        assert event["invitations"][0]["code"] == invitation_code(world.invitation)
        assert {"organisation.created", "device.enrolled", "organisation.exported"} <= {
            entry["verb"] for entry in data["audit"]
        }

    def test_no_token_hash_password_or_other_organisation_is_in_it(self, world: World) -> None:
        text = json.dumps(export_organisation(organisation=world.organisation, actor="owner", now=NOW))
        for secret in (
            world.device.token,
            world.token_text,
            world.people["owner"].password,
            world.people["other"].username,
            bytes(world.device.device.token_hash).hex(),
        ):
            assert secret not in text

    def test_the_hours_and_facts_of_every_version_are_in_it(self, world: World) -> None:
        data: dict[str, Any] = export_organisation(organisation=world.organisation, actor="owner", now=NOW)
        assert data["venues"][0]["requirements"][0]["hours"] == [[[0, 1440]]] * 7
        assert data["venues"][0]["zip"] == "94110"


class TestRoles:
    def test_an_insufficient_role_gets_an_error_that_says_so(self, world: World) -> None:
        with pytest.raises(Forbidden):
            selectors.venue(world.people["viewer"], world.venue.public_id, Role.MANAGER)
        with pytest.raises(Forbidden):
            selectors.organisation(world.people["manager"], world.organisation.public_id, Role.OWNER)

    @pytest.mark.parametrize("public_id", ["", "\0", "v_\0", "\ud800", "é", "v_" + "x" * 5000])
    def test_any_text_is_an_unknown_id(self, world: World, public_id: str) -> None:
        user = world.people["owner"]
        for select in (
            selectors.organisation,
            selectors.member,
            selectors.venue,
            selectors.door,
            selectors.device,
            selectors.event,
            selectors.invitation,
            selectors.owner_token,
        ):
            with pytest.raises(NotFound):
                select(user, public_id)
        with pytest.raises(NotFound):
            selectors.organisation_for_operator(public_id)
        assert selectors.open_venue(public_id) is None

    def test_roles_in_one_organisation_say_nothing_in_another(self, world: World) -> None:
        join(world.organisation, Role.VIEWER, user=world.people["other"])
        with pytest.raises(Forbidden):
            selectors.venue(world.people["other"], world.venue.public_id, Role.MANAGER)
        for select, public_id in (
            (selectors.door, world.door.public_id),
            (selectors.event, world.event.public_id),
            (selectors.invitation, world.invitation.public_id),
            (selectors.device, world.device.device.public_id),
        ):
            select(world.people["other"], public_id)
            with pytest.raises(Forbidden):
                select(world.people["other"], public_id, Role.MANAGER)
