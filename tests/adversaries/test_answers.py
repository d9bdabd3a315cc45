"""P6: no pass, scan or public answer depends on the answers."""

import inspect
import re

import pytest

from embedded.home import CHECKOUT
from passes import admission, reads
from passes.admission import Question
from passes.codec import read_pass
from passes.codec.gopass import UncheckedPass
from passes.models import Pass, Scan
from passes.services import scan_sql
from tests.factories import NOW, make_device, make_venue
from tests.passes.people import HEALTHY, Phone, result, scan
from venues.requirements import RequirementValues

pytestmark = pytest.mark.django_db
SCAN_FUNCTION = (CHECKOUT / "passes" / "migrations" / "record_scan.sql").read_text()
LENIENT = RequirementValues(refuse_symptoms=False, refuse_diagnosed=False)


class TestAVenueThatWantsTheAnswers:
    def test_passes_of_the_ill_and_the_well_have_the_same_form(self) -> None:
        place = make_venue(requirements=LENIENT)
        passes = [
            Phone().check_in(place, answers=dict.fromkeys(HEALTHY, ill)).credential or "" for ill in (False, True)
        ]
        read = [read_pass(text) for text in passes]
        well, ill = (one for one in read if isinstance(one, UncheckedPass))
        assert len(passes[0]) == len(passes[1])
        assert well.pass_bytes[:29] == ill.pass_bytes[:29]  # all but anchor and signature
        assert set(well.envelope.claims) == set(ill.envelope.claims)

    def test_a_door_answers_the_same_whatever_was_answered(self) -> None:
        place = make_venue(requirements=LENIENT)
        door = make_device(venue=place)
        for ill in (False, True):
            held = Phone().check_in(place, answers=dict.fromkeys(HEALTHY, ill))
            assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"
        rows = Scan.objects.values_list("approved", "cause", "abuse_score", "slot")
        assert len(set(rows)) == 1

    def test_answers_changed_after_issue_change_nothing(self) -> None:
        place = make_venue()
        door = make_device(venue=place)
        held = Phone().check_in(place)
        Pass.objects.update(symptoms=True, diagnosed=True, contact=True, near=True)
        assert result(scan(door, held.on_screen(NOW), now=NOW)) == "Approved"

    def test_the_scan_path_cannot_read_them(self) -> None:
        path = inspect.getsource(reads) + inspect.getsource(scan_sql) + SCAN_FUNCTION
        assert "passes_record_scan" in SCAN_FUNCTION
        for question in Question:
            assert not re.search(rf"\b(pass|passes_pass)\.{question.value}\b", path)
            assert question.value not in admission.ScanFacts.__slots__
        assert not re.search(r"\bpass\.\*|SELECT \*", path)
        assert "answers" not in inspect.signature(admission.decide_scan).parameters
