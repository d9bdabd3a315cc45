import datetime as dt
import pytest
from passes.models import RatingTotal
from risk.crowd.refresh import refresh_crowd
from risk.scouting.curves import refresh_cards
from tests.browser.actions import now, make_key, answer
from tests.browser.conftest import shows
from tests.factories import make_event, make_organisation, make_venue
from tests.risk.crowds import crowd
from venues.requirements import RequirementValues
pytestmark = pytest.mark.django_db(transaction=True)
H = dt.timedelta(hours=1)

def test_shots(browser, live_server):
    owner = make_organisation(name="Corner Ltd", now=now())
    make = lambda **f: make_venue(organisation=owner, now=now(), **f)
    nine = RequirementValues(hours=[[[540, 720], [840, 1080]], [], *([[600, 1500]] for _ in range(5))], capacity=500)
    full = make(name="The Corner")
    crowd(full, 30, now() - H, 240); crowd(full, 30, now() - 26 * H, 240); crowd(full, 30, now() - 7*24*H, 240)
    RatingTotal.objects.create(venue=full, count=8, masks=20, distancing=12)
    calm = make(name="Café Müller", zip_code="94112")
    shut = make(name="Hauptstraße Kino", kind="theatre", time_zone="America/Los_Angeles", requirements=nine)
    from venues.hours import NEVER_OPEN
    never = make(name="Never", kind="gym", requirements=RequirementValues(hours=NEVER_OPEN))
    copy = make_venue(organisation=make_organisation(name="Corner Ltd", verified=False, now=now()), name="The Corner", now=now(), air_changes_per_h=60.0, volume_m3=5e6)
    event = make_event(venue=copy, starts_at=now() + H, now=now(), invitation_needed=False)
    for n in range(24): make(name=f"Place {n}", kind="bar" if n % 2 else "outdoors", zip_code="94601")
    make(name="Far away", zip_code="95814", kind="bar")
    refresh_crowd(now=now()); refresh_cards(now=now())
    pages = {"venues": "/venues?zip=94110", "page2": "/venues?zip=94110&page=2", "filter": "/venues?kind=bar&open=true&sort=cost", "unknown": "/venues?zip=00000&q=zz", "card": f"/venues/{full.public_id}", "cautious": f"/venues/{calm.public_id}?profile=cautious", "shut": f"/venues/{shut.public_id}", "never": f"/venues/{never.public_id}", "copy": f"/venues/{copy.public_id}", "event": f"/events/{event.public_id}", "checkin": f"/check-in/{copy.public_id}"}
    for size, wide in (("phone", {"width": 390, "height": 844}), ("desk", {"width": 1280, "height": 800})):
        for scheme in ("light", "dark"):
            for lang in ("en", "es"):
                if (size, lang) == ("desk", "es") and scheme == "dark": continue
                ctx = browser.new_context(base_url=live_server.url, viewport=wide, color_scheme=scheme, locale={"en": "en-US", "es": "es-ES"}[lang])
                p = ctx.new_page()
                for name, at in pages.items():
                    if lang == "es" and name in ("event", "page2"): continue
                    p.goto(at); p.wait_for_timeout(250)
                    p.screenshot(path=f"/tmp/E/shots/{name}-{size}-{scheme}-{lang}.png", full_page=True)
                    over = p.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    if over > 0: print("OVERFLOW", name, size, lang, over)
                if lang == "en":
                    p.goto("/me"); make_key(p); p.goto(f"/check-in/{copy.public_id}"); p.click('[data-do="day"] >> nth=0'); answer(p); p.wait_for_url("**/pass"); shows(p, "shown")
                    p.screenshot(path=f"/tmp/E/shots/pass-{size}-{scheme}-{lang}.png", full_page=True)
                ctx.close()
