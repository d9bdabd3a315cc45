"""Error pages have the frame of the pages around them, and a link back."""

import pytest
from django.test import Client, RequestFactory

from common.time import utc_now
from common.web.problems import ServerError, Unavailable, problem_page
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/nowhere", "/"),
        ("/venues/v_0000000000", "/venues"),
        ("/events/e_0000000000", "/"),
        ("/docs/none", "/docs"),
        ("/owner/venues/v_0000000000", "/owner"),
        ("/owner/nowhere", "/owner"),
        ("/owner/operator", "/owner"),
        ("/ownership", "/"),
    ],
)
def test_an_error_has_the_way_back_and_the_foot_of_every_page(path: str, back: str) -> None:
    client = Client()
    client.force_login(factories.make_user(now=utc_now()))
    page = client.get(path)
    text = page.content.decode()
    assert page.status_code == (403 if path == "/owner/operator" else 404)
    assert f'role="button" href="{back}"' in text
    assert 'class="foot"' in text
    assert ("/owner/log-out" in text) == path.startswith("/owner/")


def test_an_error_of_a_stale_form_has_the_way_back() -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.post("/owner/login", {"username": "a", "password": "b"})
    assert page.status_code == 403
    assert 'role="button" href="/owner"' in page.content.decode()


@pytest.mark.parametrize("problem", [ServerError(), Unavailable()])
def test_the_page_of_a_server_error_needs_nothing_that_may_be_broken(problem: ServerError | Unavailable) -> None:
    page = problem_page(RequestFactory().get("/owner"), problem).content.decode()
    assert 'href="/"' in page
    assert "built/" not in page


def test_an_error_speaks_the_language_of_its_reader() -> None:
    page = Client().get("/nowhere", headers={"Accept-Language": "es"}).content.decode()
    assert '<html lang="es"' in page
