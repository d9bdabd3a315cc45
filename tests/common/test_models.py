"""Names of models, as operators read them."""

import pytest
from django.apps import apps
from django.db.models import Model

OURS = [model for model in apps.get_models() if not model.__module__.startswith("django.")]
SAME = {"requirements", "series", "venue figures"}
"""Names that are plural already."""


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_the_plural_of_a_model_is_english(model: type[Model]) -> None:
    one, many = str(model._meta.verbose_name), str(model._meta.verbose_name_plural)
    if one in SAME:
        assert many == one
    elif one.endswith(("s", "x", "ch", "sh")):
        assert many == f"{one}es"
    elif one.endswith("y") and one[-2] not in "aeiou":
        assert many.lower() == f"{one[:-1]}ies"
    else:
        assert many == {"mixed": "mixings"}.get(one, f"{one}s")
