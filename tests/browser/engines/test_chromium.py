"""What the documents say of Chromium, whose flows are in the folder above."""

import pytest
from playwright.sync_api import Page

from tests.browser.engines.features import DOCUMENTS, PROBES, documented


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_browser_has_and_lacks_what_the_documents_say(document: str, phone: Page) -> None:
    phone.goto("/me")
    said = documented(document, "Chromium")
    assert {name: phone.evaluate(PROBES[name]) for name in said} == said
