"""Every model declares which personal data it contains."""

import datetime as dt

import pytest
from django.apps import apps
from django.db import models

from common.privacy import THIRD_PARTY, Erasure, Privacy, Retention, Subject, declaration, declared_models
from common.purge import _resolve
from passes.limits import EPOCH_LENGTH

MODELS = apps.get_models(include_auto_created=True)
OURS = ("crowdtrace", "venues", "passes", "risk", "exports")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_model_declares_its_privacy(model: type[models.Model]) -> None:
    if model._meta.auto_created:
        return  # the table of a many-to-many field goes with its owner's rows
    privacy = declaration(model)
    assert privacy is not None, f"{model._meta.label} declares no privacy"
    if model.__module__.split(".")[0] in OURS:
        assert isinstance(model.__dict__.get("privacy"), Privacy), "a declaration is not inherited"


@pytest.mark.parametrize("model", [model for model, _ in declared_models()], ids=lambda model: model._meta.label)
def test_every_retention_names_fields_that_exist(model: type[models.Model]) -> None:
    privacy = declaration(model)
    assert privacy is not None
    for retention in privacy.retention:
        assert isinstance(_resolve(model, retention.field), models.DateField)
        if retention.blank is not None:
            assert model._meta.get_field(retention.blank).null
        if retention.venue is not None:
            clock = _resolve(model, f"{retention.venue}__organisation__simulated_until")
            assert isinstance(clock, models.DateTimeField)


# Sums over many visits, from which no single one can be removed: documented, and deleted after their retention.
SUMS = {"risk.AnsweredDay", "risk.CountedDay", "risk.ReportedDay", "risk.ReportCell"}
# Sums over four weeks and the whole deployment, sealed, from which the nightly fit starts each time.
LASTING = {"risk.ReportCell"}


def test_data_of_a_visit_goes_within_a_fortnight_of_its_epoch_and_can_be_erased() -> None:
    found = 0
    for model, privacy in declared_models():
        if privacy.subject is Subject.VISIT:
            found += 1
            removing = [retention for retention in privacy.retention if retention.blank is None]
            # What outlives an erasure is the mark that keeps kiosks from taking the pass, until its epoch ends.
            ends_with_epoch = all(retention.after == EPOCH_LENGTH for retention in removing)
            gone = privacy.erasure in (Erasure.REMOVED, Erasure.RECOMPUTED)
            assert gone or ends_with_epoch or model._meta.label in SUMS, model._meta.label
            assert removing, model._meta.label
            # A self-report counts from the day of the test, which lies up to a fortnight before it was made.
            longest = EPOCH_LENGTH + dt.timedelta(days=28)
            soon = min(retention.after for retention in removing) <= longest
            assert soon or model._meta.label in LASTING, model._meta.label
    assert found


def test_no_row_of_a_visit_points_at_a_visitor() -> None:
    for model, privacy in declared_models():
        if privacy.subject is not Subject.VISIT:
            continue
        for field in model._meta.get_fields():
            related = field.related_model
            if isinstance(related, type) and issubclass(related, models.Model) and field.concrete:
                other = declaration(related)
                assert other is not None
                assert other.subject not in (Subject.VISITOR, Subject.STAFF), f"{model._meta.label}.{field.name}"


def test_a_declaration_without_a_term_must_say_why() -> None:
    with pytest.raises(ValueError, match="retention"):
        Privacy(Subject.VISIT, kept="because")
    with pytest.raises(ValueError, match="requires a reason"):
        Privacy(Subject.NOBODY)
    assert Privacy(Subject.STAFF, retention=(Retention("at", dt.timedelta(1)),)).kept == ""


def test_models_of_libraries_that_are_declared_exist() -> None:
    installed = {model._meta.label for model in MODELS}
    assert set(THIRD_PARTY) <= installed
