"""Every document in a real browser: an empty console, so nothing that the policy refuses."""

import pytest

from crowdtrace.site.documents import markdown
from tests.browser.conftest import OpenContext

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_document_breaks_the_policy_of_the_site(open_context: OpenContext) -> None:
    page = open_context(service_workers="block").new_page()  # fails if there is anything in the console
    for name in markdown.names():
        answer = page.goto(f"/docs/{name}", wait_until="domcontentloaded")
        assert answer is not None
        assert answer.status == 200, name
        assert page.locator("[style]").count() == 0, name
    page.goto("/docs?q=erasure", wait_until="load")
    assert page.locator(".found li").count() > 3
