"""Chromium, whose flows are in the folder above: what the documents say about it, and an older version."""

from typing import Final

import pytest
from playwright.sync_api import Page

from passes.models import Visit
from tests.browser.actions import check_in, enrol, now, scan, shown_code
from tests.browser.conftest import TABLET, OpenContext
from tests.browser.engines.features import DOCUMENTS, PROBES, documented
from tests.factories import make_venue


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_browser_has_and_lacks_what_the_documents_say(document: str, phone: Page) -> None:
    phone.goto("/me")
    said = documented(document, "Chromium")
    assert {name: phone.evaluate(PROBES[name]) for name in said} == said


def test_each_feature_that_a_page_uses_is_in_a_document() -> None:
    assert {name for document in DOCUMENTS for name in documented(document, "Chromium")} == PROBES.keys()


# Chrome before 133, Firefox before 129 and Safari before 17 lack one of them or both.
WITHOUT_CURVES: Final = """for (const name of globalThis.SubtleCrypto ? ["generateKey", "importKey"] : []) {
  const original = SubtleCrypto.prototype[name];
  SubtleCrypto.prototype[name] = function (...given) {
    const asked = given.flatMap((each) => [each, each?.name]);
    if (asked.includes("Ed25519") || asked.includes("X25519")) {
      return Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"));
    }
    return original.apply(this, given);
  };
}"""


@pytest.mark.django_db(transaction=True)
def test_a_door_without_the_curves_of_its_browser_decides_alone_and_sends_its_scans(
    phone: Page, open_context: OpenContext
) -> None:
    venue = make_venue(now=now())
    check_in(phone, venue)
    context = open_context(viewport=TABLET)
    context.add_init_script(WITHOUT_CURVES)
    door = context.new_page()
    enrol(door, venue)
    context.set_offline(True)
    assert scan(door, shown_code(phone)) == "green"
    context.set_offline(False)
    door.click('[data-do="staff"]')
    door.click('[data-do="sync"]')
    door.wait_for_selector('[data-slot="queue"]:text-is("0")')
    assert Visit.objects.filter(venue=venue).count() == 1
