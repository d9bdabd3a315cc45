"""Validation shared by services."""

from django.core.exceptions import ValidationError
from django.db import models

from common.web.problems import from_validation_error


def clean(row: models.Model) -> None:
    """Validate every plain field of a row by its model. Raise `Invalid` with the errors of each field."""
    relations = {field.name for field in row._meta.concrete_fields if field.is_relation}
    try:
        row.clean_fields(exclude=relations)
    except ValidationError as error:
        raise from_validation_error(error) from None
