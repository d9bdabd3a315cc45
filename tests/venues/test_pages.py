"""Pages for people who run venues, without a browser: every form works without a script and loses nothing."""

import json
import re
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from django.core import mail
from django.test import Client
from django.urls import get_resolver, reverse
from pytest_django import DjangoAssertNumQueries

from common import crypto
from common.time import utc_now
from tests import factories
from tests.factories import PASSWORD
from tests.venues.conftest import World
from venues import urls_pages
from venues.kinds import Role
from venues.models import Device, Door, Event, Membership, Organisation, OwnerToken, SecondFactor, Venue
from venues.services import second_factor
from venues.services.accounts import change_password
from venues.services.organisations import make_member_code
from venues.services.venues import update_venue

As = Callable[[str], Client]


def errors_of(response: Any) -> dict[str, list[str]]:
    """Return the errors that a page's form shows."""
    found: dict[str, list[str]] = response.context["form"].errors
    return found


def token_of(user: Any) -> str:
    """Return the six digits that the app of an account shows now."""
    factor = SecondFactor.objects.get(user=user)
    return pyotp.TOTP(crypto.decrypt(second_factor.PURPOSE, bytes(factor.secret)).decode()).now()


def turn_on_second_factor(user: Any) -> list[str]:
    """Turn the second factor on, as its page does; return the recovery codes."""
    second_factor.begin(user=user, now=utc_now())
    codes = second_factor.confirm(user=user, code=token_of(user), now=utc_now())
    SecondFactor.objects.filter(user=user).update(last_step=0)  # the same minute may occur twice in a test
    return codes


# Accounts ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_signing_up_logs_in_and_leads_to_the_first_place() -> None:
    client = Client()
    response = client.post("/owner/sign-up", {"username": "rosa", "password": "seven quiet otters", "email": ""})
    assert response.headers["Location"] == "/owner/start"
    assert client.get("/owner/account").status_code == 200


@pytest.mark.django_db
def test_a_refused_sign_up_keeps_what_was_typed_but_never_the_password() -> None:
    factories.make_user(username="rosa")
    page = Client().post("/owner/sign-up", {"username": "rosa", "password": "seven quiet otters", "email": "a@b.org"})
    assert errors_of(page) == {"username": ["This name is taken."]}
    text = page.content.decode()
    assert 'href="#id_username"' in text
    assert 'value="rosa"' in text
    assert 'value="a@b.org"' in text
    assert "seven quiet otters" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"username": "", "password": "seven quiet otters"}, "username"),
        ({"username": "a b", "password": "seven quiet otters"}, "username"),
        ({"username": "rosa", "password": "short"}, "password"),
        ({"username": "rosa", "password": "1234567890"}, "password"),
        ({"username": "rosa", "password": "seven quiet otters", "email": "nowhere"}, "email"),
        ({"username": "ro\0sa", "password": "seven quiet otters"}, "username"),
    ],
)
def test_a_bad_sign_up_names_the_field(given: dict[str, str], field: str) -> None:
    assert set(errors_of(Client().post("/owner/sign-up", given))) == {field}


@pytest.mark.django_db
def test_logging_in_goes_where_the_page_before_wanted_but_never_to_another_origin() -> None:
    user = factories.make_user()
    given = {"username": user.username, "password": PASSWORD}
    response = Client().post("/owner/login?next=/owner/start", given)
    assert response.headers["Location"] == "/owner/start"
    for elsewhere in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        assert Client().post("/owner/login", given | {"next": elsewhere}).headers["Location"] == "/owner"


@pytest.mark.django_db
def test_an_unknown_name_and_a_wrong_password_look_alike() -> None:
    user = factories.make_user()
    pages = [
        Client().post("/owner/login", {"username": name, "password": "not the right one"})
        for name in (user.username, "nobody")
    ]
    assert errors_of(pages[0]) == errors_of(pages[1]) == {"__all__": ["The name or the password is wrong."]}


@pytest.mark.django_db
def test_the_second_factor_is_required_between_password_and_session() -> None:
    user = factories.make_user()
    turn_on_second_factor(user)
    client = Client()
    response = client.post("/owner/login?next=/owner/start", {"username": user.username, "password": PASSWORD})
    assert response.headers["Location"] == "/owner/login/code?next=%2Fowner%2Fstart"
    assert client.get("/owner/account").status_code == 302, "a password alone opens nothing"
    wrong = client.post(response.headers["Location"], {"code": "000000"})
    assert "code" in errors_of(wrong)
    right = client.post(response.headers["Location"], {"code": token_of(user)})
    assert right.headers["Location"] == "/owner/start"
    assert client.get("/owner/account").status_code == 200


@pytest.mark.django_db
def test_a_recovery_code_opens_once() -> None:
    user = factories.make_user()
    code = turn_on_second_factor(user)[0]
    for expected in (302, 200):
        client = Client()
        client.post("/owner/login", {"username": user.username, "password": PASSWORD})
        assert client.post("/owner/login/code", {"code": code.upper()}).status_code == expected


@pytest.mark.django_db
def test_the_step_between_ends_after_five_minutes_and_with_a_new_password(time_machine: Any) -> None:
    time_machine.move_to(utc_now())
    user = factories.make_user()
    turn_on_second_factor(user)
    for way in ("wait", "change"):
        client = Client()
        client.post("/owner/login", {"username": user.username, "password": PASSWORD})
        assert client.get("/owner/login/code").status_code == 200
        if way == "wait":
            time_machine.shift(301)
        else:
            change_password(user=user, old=PASSWORD, new="another long passphrase", now=utc_now())
        assert client.get("/owner/login/code").headers["Location"] == "/owner/login"


@pytest.mark.django_db
def test_a_session_ends_after_twelve_hours_unless_one_asked_to_stay(time_machine: Any) -> None:
    time_machine.move_to(utc_now())
    user = factories.make_user()
    given = {"username": user.username, "password": PASSWORD}
    short, long = Client(), Client()
    short.post("/owner/login", given)
    long.post("/owner/login", given | {"stay": "on"})
    time_machine.shift(12 * 3600 + 60)
    assert short.get("/owner/account").status_code == 302
    assert long.get("/owner/account").status_code == 200
    time_machine.shift(14 * 24 * 3600)
    assert long.get("/owner/account").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("stay", [False, True])
def test_what_was_typed_when_the_session_had_ended_waits_for_the_log_in(stay: bool, time_machine: Any) -> None:
    time_machine.move_to(utc_now())
    user, client = factories.make_user(), Client()
    typed = {"name": "Dinner at six", "place": "Our garden", "size": "20", "code": "kept by nobody"}
    sent = client.post("/owner/events/new", typed)
    assert sent.headers["Location"] == "/owner/login?next=/owner/events/new"
    assert not Event.objects.exists()
    assert "kept by nobody" not in str(dict(client.session))
    given = {"username": user.username, "password": PASSWORD} | ({"stay": "on"} if stay else {})
    back = client.post(sent.headers["Location"], given)
    assert back.headers["Location"] == "/owner/events/new"
    page = client.get("/owner/events/new").content.decode()
    assert "Here is what you typed" in page
    assert 'value="Dinner at six"' in page
    assert 'value="20"' in page
    again = client.get("/owner/events/new").content.decode()
    assert "Dinner at six" not in again
    time_machine.shift(11 * 60)
    assert client.get("/owner/account").status_code == 200
    time_machine.shift(13 * 3600)
    assert client.get("/owner/account").status_code == (200 if stay else 302)


@pytest.mark.django_db
def test_what_was_typed_waits_ten_minutes_and_comes_back_to_its_own_page_alone(time_machine: Any) -> None:
    time_machine.move_to(utc_now())
    user, client = factories.make_user(), Client()
    client.post("/owner/events/new", {"name": "Dinner at six"})
    client.post("/owner/login", {"username": user.username, "password": PASSWORD})
    assert "Dinner at six" not in client.get("/owner/venues/new").content.decode()
    time_machine.shift(601)
    assert "Dinner at six" not in client.get("/owner/events/new").content.decode()


@pytest.mark.django_db
def test_forms_without_a_session_are_not_kept_without_end(settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"login": "2/minute"}
    kept = [Client() for _ in range(4)]
    for client in kept:
        assert client.post("/owner/events/new", {"name": "Dinner at six"}).status_code == 302
    assert ["typed" in client.session for client in kept] == [True, True, False, False]


@pytest.mark.django_db
def test_logging_in_changes_the_key_of_the_session() -> None:
    user, client = factories.make_user(), Client()
    client.get("/owner/login")
    session = client.session
    session["before"] = 1
    session.save()
    client.cookies["sessionid"] = str(session.session_key)
    client.post("/owner/login", {"username": user.username, "password": PASSWORD})
    assert client.cookies["sessionid"].value != session.session_key


@pytest.mark.django_db
def test_too_many_guesses_are_reported_in_the_form(settings: Any) -> None:
    settings.THROTTLES = settings.THROTTLES | {"login": "2/minute"}
    client, given = Client(), {"username": "nobody", "password": "not the right one"}
    for _ in range(2):
        assert errors_of(client.post("/owner/login", given))["__all__"] == ["The name or the password is wrong."]
    page = client.post("/owner/login", given)
    assert "wrong" not in errors_of(page)["__all__"][0]
    assert 'value="nobody"' in page.content.decode()


@pytest.mark.django_db
@pytest.mark.usefixtures("tasks_at_once")
def test_a_lost_password_is_replaced_by_the_mailed_link() -> None:
    user = factories.make_user(email="rosa@example.org")
    client = Client()
    known = client.post("/owner/forgot", {"email": "rosa@example.org"})
    unknown = client.post("/owner/forgot", {"email": "nobody@example.org"})
    assert known.content == unknown.content, "the page does not tell who has an account"
    (letter,) = mail.outbox
    found = re.search(r"/owner/reset#(\S+)", str(letter.body))
    assert found
    assert client.get("/owner/reset").status_code == 200
    given = {"token": found[1], "password": "an entirely new one"}
    assert client.post("/owner/reset", given).headers["Location"] == "/owner/login"
    assert "token" in errors_of(client.post("/owner/reset", given)), "the link works once"
    logged_in = client.post("/owner/login", {"username": user.username, "password": "an entirely new one"})
    assert logged_in.headers["Location"] == "/owner"


@pytest.mark.django_db
def test_setting_up_the_second_factor_shows_the_recovery_codes_once(world: World, as_: As) -> None:
    client, user = as_("owner"), world.people["owner"]
    client.post("/owner/account/second-factor/begin")
    secret = client.get("/owner/account/second-factor").context["secret"]
    wrong = client.post("/owner/account/second-factor", {"code": "12"})
    assert "code" in errors_of(wrong)
    assert wrong.context["secret"] == secret, "a mistyped code keeps the secret that the app has"
    page = client.post("/owner/account/second-factor", {"code": pyotp.TOTP(secret).now()})
    assert len(page.context["codes"]) == second_factor.RECOVERY_CODES
    assert second_factor.is_on(user)
    assert client.get("/owner/account/second-factor").status_code == 302


@pytest.mark.django_db
def test_a_typed_code_may_have_spaces_and_capitals(world: World) -> None:
    made = make_member_code(organisation=world.organisation, role=Role.VIEWER, actor="owner", now=utc_now())
    client = Client()
    client.force_login(factories.make_user())
    spaced = f"{made.code[:4]} {made.code[4:8]}-{made.code[8:]}".upper()
    assert client.post("/owner/join", {"code": spaced}).headers["Location"] == "/owner"


# First event and place -----------------------------------------------------------------------------------------------
QUICK = {
    "name": "Anna's birthday",
    "place": "Our garden",
    "date": "2026-11-28",
    "starts": "19:00",
    "ends": "01:00",
    "size": "20",
    "host": "personal",
    "zip": "",
    "time_zone": "America/New_York",
}


@pytest.mark.django_db
@pytest.mark.parametrize("host", ["personal", "non-profit", "faith", "educational", "amateur-sport"])
def test_each_of_the_five_free_classes_has_an_event_in_one_form(host: str, time_machine: Any) -> None:
    time_machine.move_to("2026-11-25T12:00:00Z")
    client = Client()
    client.force_login(factories.make_user(now=utc_now()))
    response = client.post("/owner/events/new", QUICK | {"host": host})
    event = Event.objects.select_related("venue__organisation").get()
    assert response.headers["Location"] == f"/owner/events/{event.public_id}"
    assert event.venue.organisation.kind == host
    assert [event.starts_at.isoformat(), event.ends_at.isoformat()] == [
        "2026-11-29T00:00:00+00:00",
        "2026-11-29T06:00:00+00:00",
    ], "times are those of the place, and an end before the start is on the next day"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"date": "someday"}, "date"),
        ({"date": "2020-01-01"}, "ends"),
        ({"date": "2040-01-01"}, "starts"),
        ({"starts": "25:00"}, "starts"),
        ({"size": "0"}, "size"),
        ({"size": "many"}, "size"),
        ({"zip": "00000"}, "zip"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"host": "commercial"}, "host"),
    ],
)
def test_a_bad_event_names_the_field_and_loses_nothing(change: dict[str, str], field: str, time_machine: Any) -> None:
    time_machine.move_to("2026-11-25T12:00:00Z")
    client = Client()
    client.force_login(factories.make_user(now=utc_now()))
    page = client.post("/owner/events/new", QUICK | change)
    assert set(errors_of(page)) == {field}
    assert f'href="#id_{field}"' in page.content.decode()
    assert page.context["form"]["place"].value() == "Our garden"
    assert not Event.objects.exists()
    assert not Organisation.objects.exists(), "nothing half made stays behind"


@pytest.mark.django_db
def test_a_first_place_makes_the_organisation_that_runs_it() -> None:
    client = Client()
    client.force_login(factories.make_user())
    given = {
        "name": "The Corner",
        "kind": "restaurant",
        "capacity": "60",
        "organisation": "new:commercial",
        "zip": "94110",
        "time_zone": "America/Los_Angeles",
    }
    response = client.post("/owner/venues/new", given)
    place = Venue.objects.select_related("organisation", "requirements").get()
    assert response.headers["Location"] == f"/owner/venues/{place.public_id}/wall"
    assert (place.organisation.name, place.requirements.capacity) == ("The Corner", 60)  # type: ignore[union-attr]
    second = client.post("/owner/venues/new", given | {"organisation": place.organisation.public_id, "name": "Two"})
    assert second.status_code == 302
    assert Organisation.objects.count() == 1
    stolen = factories.make_organisation()
    refused = client.post("/owner/venues/new", given | {"organisation": stolen.public_id})
    assert set(errors_of(refused)) == {"organisation"}


# Posters -------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_same_place_gives_the_same_bytes(world: World, as_: As, time_machine: Any) -> None:
    client, address = as_("viewer"), f"/owner/venues/{world.venue.public_id}/poster.pdf"
    first = client.get(address)
    assert first.headers["Content-Type"] == "application/pdf"
    assert first.content.startswith(b"%PDF-")
    time_machine.move_to(utc_now() + factories.HOUR)
    assert client.get(address).content == first.content
    update_venue(venue=world.venue, changes={"name": "Elsewhere"}, actor="owner", now=utc_now())
    assert client.get(address).content != first.content


@pytest.mark.django_db
def test_a_sticker_holds_one_address_and_nothing_else(world: World, as_: As) -> None:
    import ndef

    content = as_("viewer").get(f"/owner/venues/{world.venue.public_id}/sticker.ndef").content
    (record,) = list(ndef.message_decoder(content))
    assert record.uri == f"http://testserver/check-in/{world.venue.public_id}"


# Rules, hours, doors -------------------------------------------------------------------------------------------------
RULES = {
    "capacity": "60",
    "enforced_limit_percent": "50",
    "refuse_symptoms": "on",
    "max_temperature_f": "100.4",
    "min_o2": "",
    "version": "1",
}


@pytest.mark.django_db
def test_rules_are_explained_in_words_before_they_are_put_in_force(world: World, as_: As) -> None:
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/rules"
    preview = client.post(address, RULES | {"do": "preview"})
    told = preview.context["told"]
    assert "Red when 30 people are inside." in told.door
    assert any("100.4" in sentence for sentence in told.door)
    assert world.venue.requirement_versions.count() == 1, "a preview changes nothing"
    client.post(address, RULES | {"do": "confirm"})
    row = world.venue.requirement_versions.latest("version")
    assert (row.version, row.capacity, row.refuse_symptoms, row.refuse_diagnosed, row.rotating_code) == (
        2,
        60,
        True,
        False,
        False,
    )
    stale = client.post(address, RULES | {"do": "confirm", "capacity": "10"})
    assert "__all__" in errors_of(stale), "somebody else was faster: nothing is overwritten"
    assert stale.context["form"]["capacity"].value() == "10"


@pytest.mark.django_db
def test_a_rule_out_of_range_is_reported_at_its_field(world: World, as_: As) -> None:
    given = RULES | {"do": "confirm", "max_temperature_f": "200", "min_o2": "7"}
    page = as_("manager").post(f"/owner/venues/{world.venue.public_id}/rules", given)
    assert set(errors_of(page)) == {"max_temperature_f", "min_o2"}


@pytest.mark.django_db
def test_hours_are_written_as_people_write_them(world: World, as_: As) -> None:
    client, address = as_("manager"), f"/owner/venues/{world.venue.public_id}/hours"
    given = {f"day_{day}": "" for day in range(7)} | {"day_1": "9-12, 14:00-18:00", "day_5": "17:00-01:00"}
    wrong = client.post(address, given | {"day_2": "from nine", "version": "1"})
    assert set(errors_of(wrong)) == {"day_2"}
    overlap = client.post(address, given | {"day_2": "9-12, 11-13", "version": "1"})
    assert set(errors_of(overlap)) == {"day_2"}
    assert overlap.context["form"]["day_1"].value() == "9-12, 14:00-18:00"
    assert client.post(address, given | {"version": "1"}).status_code == 302
    hours = world.venue.requirement_versions.latest("version").hours
    assert hours == [[], [[540, 720], [840, 1080]], [], [], [], [[1020, 1500]], []]
    assert client.get(address).context["form"]["day_5"].value() == "17:00-01:00"


@pytest.mark.django_db
def test_a_code_for_a_device_is_shown_once_and_revoking_ends_the_device_at_once(world: World, as_: As) -> None:
    client = as_("manager")
    page = client.post(f"/owner/doors/{world.door.public_id}/enrol")
    code = page.context["code"]
    given = {"code": code, "name": "Left", "kind": "Gate"}
    enrolled = client.post("/api/v1/devices", json.dumps(given), content_type="application/json")
    token = {"Authorization": f"Device {enrolled.json()['token']}"}
    assert client.get("/api/v1/device/bundle", headers=token).status_code == 200
    device = Device.objects.get(name="Left")
    client.post(f"/owner/devices/{device.public_id}/revoke")
    assert client.get("/api/v1/device/bundle", headers=token).status_code == 401
    assert code not in client.get(f"/owner/venues/{world.venue.public_id}/doors").content.decode()


@pytest.mark.django_db
def test_only_a_commercial_place_may_have_doors_without_staff(world: World, as_: As) -> None:
    assert "unmanned" in as_("owner").get(f"/owner/venues/{world.venue.public_id}/facts").context["form"].fields
    free = factories.make_venue(
        organisation=factories.make_organisation(owner=world.people["owner"], kind="faith"), now=utc_now()
    )
    assert "unmanned" not in as_("owner").get(f"/owner/venues/{free.public_id}/facts").context["form"].fields


# Nobody reads another's ----------------------------------------------------------------------------------------------
def addresses(world: World) -> list[str]:
    """Return every page that names something of an organisation."""
    found = []
    for name in get_resolver().reverse_dict:
        if not isinstance(name, str) or not name.startswith("owner-page-"):
            continue
        wanted = get_resolver().reverse_dict.getlist(name)[0][0][0][1]
        if wanted:
            found.append(reverse(name, kwargs={word: world.ids[word] for word in wanted}))
    return sorted(found)


def test_every_page_of_an_organisation_is_in_the_list(world: World) -> None:
    patterns = [str(one.pattern) for one in urls_pages.urlpatterns if "?P<" in str(one.pattern)]
    assert len(addresses(world)) >= len(patterns) > 30


@pytest.mark.django_db
def test_one_organisation_never_sees_another(world: World, as_: As) -> None:
    before = counts()
    for address in addresses(world):
        for method in ("get", "post"):
            response = getattr(as_("other"), method)(address)
            if address.startswith("/owner/operator/"):
                assert response.status_code == 403, address
            elif response.status_code == 302:  # a button's URL, read
                assert (method, response.headers["Location"]) == ("get", "/owner"), address
            else:
                assert response.status_code == 404, (method, address)
    assert counts() == before


@pytest.mark.django_db
def test_nobody_sees_anything_without_logging_in(world: World) -> None:
    before = counts()
    for address in addresses(world):
        for method in ("get", "post"):
            response = getattr(Client(), method)(address)
            assert response.status_code == 302, address
            assert response.headers["Location"].startswith("/owner/login?next=/owner/"), address
    assert counts() == before


@pytest.mark.django_db
def test_a_viewer_reads_and_changes_nothing(world: World, as_: As) -> None:
    before = counts()
    viewer = as_("viewer")
    for address in addresses(world):
        if "/members/" in address or "/tokens/" in address or "/operator/" in address or address.endswith("/alert"):
            continue  # users may end their own membership and mails; others have separate tests
        assert viewer.post(address).status_code in {200, 403, 404, 405}, address
    assert counts() == before


@pytest.mark.django_db
def test_a_viewer_is_offered_nothing_that_would_be_refused(world: World, as_: As) -> None:
    viewer, manager = as_("viewer"), as_("manager")
    place, event = world.venue.public_id, world.event.public_id
    for page in (f"/owner/venues/{place}/doors", f"/owner/venues/{place}/settings", f"/owner/events/{event}"):
        text = viewer.get(page).content.decode()
        assert re.findall(r'action="([^"]+)"', text) == ["/owner/log-out"]
        links = re.findall(r'href="(/owner/[^"]+)"', text)
        assert [link for link in links if viewer.get(link).status_code == 403] == []
        assert len(re.findall(r'href="/owner/', manager.get(page).content.decode())) > len(links)


def counts() -> dict[str, Any]:
    """Return what a refused request leaves unchanged."""
    return {
        "venues": sorted(Venue.objects.values_list("pk", "closed_at", "name")),
        "doors": sorted(Door.objects.values_list("pk", "closed_at", "name")),
        "devices": sorted(Device.objects.values_list("pk", "revoked_at")),
        "events": sorted(Event.objects.values_list("pk", "cancelled_at", "name")),
        "members": sorted(Membership.objects.values_list("pk", "role")),
        "organisations": sorted(Organisation.objects.values_list("pk", "closed_at", "verified_at")),
        "tokens": sorted(OwnerToken.objects.values_list("pk")),
        "versions": sorted(Venue.objects.values_list("requirement_versions__pk")),
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("who", "codes"), [("owner", {200, 302}), ("manager", {200, 302, 403}), ("viewer", {200, 302, 403})]
)
def test_no_page_of_ones_own_fails(world: World, as_: As, who: str, codes: set[int]) -> None:
    client = as_(who)
    for address in addresses(world):
        if "/operator/" not in address:
            assert client.get(address).status_code in codes, address


@pytest.mark.django_db
def test_a_page_asks_the_database_little(
    world: World, as_: As, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = as_("owner")
    budget = {"/owner/account": 6, f"/owner/venues/{world.venue.public_id}/doors": 7, "/owner/events/new": 2}
    for address, most in budget.items():
        with django_assert_max_num_queries(most):
            client.get(address)


# Operator ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_the_operator_verifies_and_withdraws_it(world: World, as_: As) -> None:
    waiting = factories.make_organisation(verified=False)
    client, address = as_("operator"), f"/owner/operator/organisations/{waiting.public_id}"
    for expected in (True, False):
        assert client.post(address).status_code == 302
        waiting.refresh_from_db()
        assert (waiting.verified_at is not None) is expected


def test_a_place_that_never_closes_says_so(world: World, as_: As) -> None:
    page = as_("owner").get(f"/owner/venues/{world.venue.public_id}/settings").content.decode()
    assert "Always open." in page
    assert "00:00-24:00" not in page
