"""Every endpoint of this app against every kind of client."""

import copy
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern

from common.time import utc_now, z
from crowdtrace.site import urls as site_urls
from tests import factories
from tests.factories import PASSWORD
from tests.venues.conftest import World, call
from venues import urls
from venues.kinds import Role
from venues.requirements import RequirementValues
from venues.services.accounts import make_owner_token
from venues.services.devices import make_enrolment_code
from venues.services.events import make_invitation
from venues.services.organisations import make_member_code
from venues.services.venues import add_door, set_requirements

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tasks_at_once")]
Body = Callable[[World], Any]
SOON, LATER = (z(utc_now() + dt.timedelta(days=30, hours=hour)) for hour in (0, 4))


@pytest.fixture
def world(shared_world: World, db: None) -> World:
    """Return the file's world, with rows in memory that a test may change."""
    return copy.deepcopy(shared_world)


@dataclass(frozen=True)
class Endpoint:
    """One operation: lowest role required, a valid body, the response if permitted, and its most SQL statements."""

    method: str
    address: str
    needs: str
    most: int
    status: int = 200
    body: Body | None = None
    program: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.address}"


def given(**values: Any) -> Body:
    return lambda _world: values


def given_body(body: Any) -> Body:
    return lambda _world: body


def member_code(world: World) -> dict[str, str]:
    code = make_member_code(organisation=world.organisation, role=Role.VIEWER, actor="owner", now=utc_now())
    return {"code": code.code}


def enrolment_code(world: World) -> dict[str, str]:
    code = make_enrolment_code(door=world.door, actor="owner", now=utc_now())
    return {"code": code.code, "name": "Left", "kind": "Gate"}


REQUIREMENTS = {
    "capacity": 60,
    "enforced_limit_percent": 75,
    "refuse_symptoms": True,
    "refuse_diagnosed": True,
    "refuse_contact": False,
    "refuse_near": False,
    "max_temperature_f": None,
    "min_o2": None,
    "rotating_code": True,
    "hours": [[], [[1020, 1380]], [], [], [], [[1020, 1500]], []],
}
EVENT = {"name": "Concert", "starts_at": SOON, "ends_at": LATER, "size": 80}
ENDPOINTS = [
    Endpoint("POST", "/api/v1/devices", "anybody", 4, 201, enrolment_code),
    Endpoint("POST", "sign-up", "anybody", 14, 201, given(username="newcomer", password=PASSWORD)),
    Endpoint("POST", "reset", "anybody", 1, 202, given(email="nobody@example.org")),
    Endpoint("GET", "account", "account", 4),
    # With the worker's statements for the mail to the new address.
    Endpoint("PUT", "account/email", "account", 13, 200, given(email="a@example.org", password=PASSWORD), False),
    Endpoint("PUT", "account/password", "account", 11, 204, given(old=PASSWORD, new="another " + PASSWORD), False),
    Endpoint("POST", "account/second-factor", "account", 6, 201, None, False),
    Endpoint("POST", "log-out", "account", 4, 204, None, False),
    Endpoint("GET", "tokens", "account", 3, 200, None, False),
    Endpoint("POST", "tokens", "account", 5, 201, given(name="till"), False),
    Endpoint("GET", "organisations", "account", 3),
    Endpoint("POST", "organisations", "account", 5, 201, given(name="New", kind="faith")),
    Endpoint("GET", "venues", "account", 3),
    Endpoint("POST", "join", "account", 5, 200, member_code),
    Endpoint("POST", "events/quick", "account", 23, 201, given(place="Kitchen", **EVENT)),
    Endpoint("GET", "organisations/<organisation>", "viewer", 3),
    Endpoint("PATCH", "organisations/<organisation>", "owner", 7, 200, given(name="Other name")),
    Endpoint("DELETE", "organisations/<organisation>", "owner", 10, 204),
    Endpoint("GET", "organisations/<organisation>/export", "owner", 14),
    Endpoint("GET", "organisations/<organisation>/members", "viewer", 4),
    Endpoint("POST", "organisations/<organisation>/member-codes", "owner", 6, 201, given(role="viewer")),
    Endpoint("GET", "organisations/<organisation>/venues", "viewer", 4),
    Endpoint("POST", "organisations/<organisation>/venues", "manager", 10, 201, given(name="Bar", kind="bar")),
    Endpoint("PATCH", "members/<member>", "owner", 9, 200, given(role="manager")),
    Endpoint("DELETE", "members/<member>", "owner or self", 8, 204),
    Endpoint("GET", "venues/<venue>", "viewer", 3),
    Endpoint("PATCH", "venues/<venue>", "manager", 7, 200, given(volume_m3=420.5)),
    Endpoint("DELETE", "venues/<venue>", "manager", 8, 204),
    Endpoint("GET", "venues/<venue>/alert", "viewer", 4),
    Endpoint("PUT", "venues/<venue>/alert", "viewer", 5, 200, given(mail=False)),
    Endpoint("GET", "venues/<venue>/statistics", "viewer", 9),
    Endpoint("GET", "venues/<venue>/counts", "viewer", 4),
    Endpoint("POST", "venues/<venue>/counts", "manager", 10, 201, given(people=42, counted_at=z(utc_now()))),
    Endpoint("DELETE", "counts/<count>", "manager", 8, 204),
    Endpoint("GET", "venues/<venue>/requirements", "viewer", 3),
    Endpoint("PUT", "venues/<venue>/requirements", "manager", 10, 200, given(**REQUIREMENTS)),
    Endpoint("PATCH", "venues/<venue>/requirements", "manager", 10, 200, given(capacity=9)),
    Endpoint("GET", "venues/<venue>/requirements/versions", "viewer", 4),
    Endpoint("GET", "venues/<venue>/doors", "viewer", 4),
    Endpoint("POST", "venues/<venue>/doors", "manager", 7, 201, given(name="Back", access="Private")),
    Endpoint("GET", "venues/<venue>/devices", "viewer", 4),
    Endpoint("GET", "venues/<venue>/events", "viewer", 4),
    Endpoint("POST", "venues/<venue>/events", "manager", 7, 201, given(**EVENT)),
    Endpoint("GET", "doors/<door>", "viewer", 3),
    Endpoint("PATCH", "doors/<door>", "manager", 10, 200, given(access="Private")),
    Endpoint("DELETE", "doors/<door>", "manager", 6, 204),
    Endpoint("POST", "doors/<door>/enrolment-codes", "manager", 8, 201),
    Endpoint("GET", "devices/<device>", "viewer", 3),
    Endpoint("DELETE", "devices/<device>", "manager", 5, 204),
    Endpoint("GET", "events/<event>", "viewer", 3),
    Endpoint("PATCH", "events/<event>", "manager", 9, 200, given(size=30)),
    Endpoint("DELETE", "events/<event>", "manager", 5, 204),
    Endpoint("GET", "events/<event>/invitations", "manager", 4),
    Endpoint("POST", "events/<event>/invitations", "manager", 8, 201, given(uses=2)),
    Endpoint("DELETE", "invitations/<invitation>", "manager", 6, 204),
    Endpoint("GET", "operator/organisations", "operator", 3),
    Endpoint("PUT", "operator/organisations/<organisation>/verification", "operator", 4),
    Endpoint("DELETE", "operator/organisations/<organisation>/verification", "operator", 6),
]
# These need a separate state; they are tested with accounts. Anonymous clients are refused here.
ELSEWHERE = {
    ("POST", "log-in"),
    ("POST", "reset/confirm"),
    ("POST", "confirm"),
    ("POST", "account/email/confirmation"),
    ("POST", "account/close"),
    ("POST", "account/second-factor/confirm"),
    ("POST", "account/second-factor/off"),
    ("DELETE", "tokens/<token>"),
}
CALLERS = ["anonymous", "viewer", "manager", "owner", "other", "operator", "device", "program"]
RANK = {"viewer": 0, "manager": 1, "owner": 2, "program": 2}


def expected(endpoint: Endpoint, caller: str) -> int:
    """Return the status for a client; `program` is the owner's token."""
    needs = endpoint.needs
    if needs == "anybody":
        return endpoint.status
    if caller in ("anonymous", "device") or (caller == "program" and not endpoint.program):
        return 401
    if needs == "account":
        return endpoint.status
    if needs == "operator":
        return endpoint.status if caller == "operator" else 403
    if caller not in RANK:
        return 404
    if needs == "owner or self":
        return endpoint.status if caller in ("owner", "program", "viewer") else 403
    return endpoint.status if RANK[caller] >= RANK[needs] else 403


def address_of(endpoint: str, ids: dict[str, str]) -> str:
    path = endpoint if endpoint.startswith("/") else f"/api/v1/owner/{endpoint}"
    return re.sub(r"<(\w+)>", lambda match: ids[match[1]], path)


def prepare(world: World, caller: str, endpoint: Endpoint, ids: dict[str, str] | None = None) -> Callable[[], Any]:
    """Return the request of a client, ready to be sent."""
    client = Client()
    headers = {"If_Match": "*"}
    if caller in world.people:
        client.force_login(world.people[caller])
    elif caller == "device":
        headers["Authorization"] = f"Device {world.device.token}"
    elif caller == "program":
        headers["Authorization"] = f"Owner {world.token_text}"
    body = endpoint.body(world) if endpoint.body else None
    address = address_of(endpoint.address, ids or world.ids)
    return lambda: call(client, endpoint.method, address, body, **headers)


def ask(world: World, caller: str, endpoint: Endpoint, ids: dict[str, str] | None = None) -> Any:
    return prepare(world, caller, endpoint, ids)()


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_who_may_do_what(world: World, endpoint: Endpoint, caller: str) -> None:
    response = ask(world, caller, endpoint)
    assert response.status_code == expected(endpoint, caller), response.content
    if response.status_code >= 400:
        assert response["Content-Type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code
    if response.status_code == 401:
        assert response["WWW-Authenticate"]


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if "<" in one.address], ids=str)
def test_what_belongs_to_others_looks_like_what_does_not_exist(world: World, endpoint: Endpoint) -> None:
    caller = "operator" if endpoint.needs == "operator" else "other"
    unknown = {word: f"{public_id[:2]}{'0' * 10}" for word, public_id in world.ids.items()}
    missing = ask(world, caller, endpoint, unknown)
    assert missing.status_code == 404
    if caller == "other":
        foreign = ask(world, caller, endpoint)
        assert (foreign.status_code, foreign.content) == (404, missing.content)
        assert set(foreign.headers) == set(missing.headers)


def test_every_endpoint_of_owners_is_in_the_table() -> None:
    known = {(one.method, one.address) for one in ENDPOINTS} | ELSEWHERE
    known = {(method, re.sub(r"<\w+>", "<>", address)) for method, address in known}
    found = set()
    for pattern in [*urls.urlpatterns, *site_urls.urlpatterns]:
        if isinstance(pattern, URLPattern) and str(pattern.name).startswith(("owner-", "devices")):
            address = re.sub(r"\(\?P<\w+>[^)]*\)", "<>", str(pattern.pattern)).removesuffix(r"\Z")
            address = address.removeprefix("^api/v1/owner/").replace("api/v1/devices", "/api/v1/devices")
            found |= {(method, address) for method in methods_of(pattern)}
    assert found == known


def methods_of(pattern: URLPattern) -> set[str]:
    """Return HTTP methods of the view at a URL."""
    view = pattern.callback.cls  # type: ignore[attr-defined]
    return {method.upper() for method in ("get", "post", "put", "patch", "delete") if hasattr(view, method)}


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_statements_stay_within_their_budget(world: World, endpoint: Endpoint) -> None:
    caller = "operator" if endpoint.needs == "operator" else "owner"
    send = prepare(world, caller, endpoint)
    with CaptureQueriesContext(connection) as statements:
        response = send()
    assert response.status_code == endpoint.status
    sql = [one["sql"] for one in statements if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
    assert len(sql) <= endpoint.most, f"{len(sql)} statements"


@pytest.mark.parametrize("endpoint", [one for one in ENDPOINTS if one.method != "GET" and not one.body], ids=str)
def test_a_body_where_none_is_asked_for_is_refused_and_changes_nothing(world: World, endpoint: Endpoint) -> None:
    caller = "operator" if endpoint.needs == "operator" else "owner"
    send = prepare(world, caller, endpoint)
    wrong = [prepare(world, caller, replace(endpoint, body=given_body(body))) for body in ([1], "text", {"more": True})]
    refusals = [ask_wrongly() for ask_wrongly in wrong]
    assert [refusal.status_code for refusal in refusals] == [400] * 3
    assert refusals[-1].json()["errors"][0]["pointer"] == "/more"
    assert send().status_code == endpoint.status


LISTS = [
    "tokens",
    "organisations",
    "venues",
    "organisations/<organisation>/members",
    "organisations/<organisation>/venues",
    "organisations/<organisation>/export",
    "venues/<venue>/requirements/versions",
    "venues/<venue>/doors",
    "venues/<venue>/devices",
    "venues/<venue>/events",
    "events/<event>/invitations",
    "operator/organisations",
]


def grow(world: World) -> None:
    """Create more rows of everything."""
    now, owner = utc_now(), world.people["owner"]
    factories.join(world.organisation, Role.VIEWER, now=now)
    factories.make_organisation(owner=owner, verified=False, now=now)
    venue = factories.make_venue(organisation=world.organisation, now=now)
    factories.make_device(venue=venue, now=now)
    factories.make_event(venue=venue, starts_at=now + factories.HOUR, now=now)
    door = add_door(venue=world.venue, name="Back", actor="owner", now=now)
    factories.make_device(door=door, now=now)
    event = factories.make_event(venue=world.venue, starts_at=now + factories.HOUR, now=now)
    for place in (event, world.event):
        make_invitation(event=place, actor="owner", now=now)
    make_owner_token(user=owner, name="second", days=1, now=now)
    set_requirements(venue=world.venue, values=RequirementValues(capacity=5), actor="owner", now=now)


@pytest.mark.parametrize("address", LISTS)
def test_a_list_takes_as_many_statements_with_more_rows(world: World, address: str) -> None:
    (endpoint,) = [one for one in ENDPOINTS if (one.method, one.address) == ("GET", address)]
    send = prepare(world, "operator" if endpoint.needs == "operator" else "owner", endpoint)
    with CaptureQueriesContext(connection) as before:
        few = send()
    grow(world)
    grow(world)
    with CaptureQueriesContext(connection) as after:
        many = send()
    assert len(many.content) > len(few.content)
    assert len(after) == len(before)
