"""Validation that services share."""

from django.core.exceptions import ValidationError
from django.db import models

from common.web.problems import FieldError, Invalid


def clean(row: models.Model) -> None:
    """Check every plain field of a row against its model; raises `Invalid` with one error a field."""
    relations = {field.name for field in row._meta.concrete_fields if field.is_relation}
    try:
        row.clean_fields(exclude=relations)
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError, *, pointer: str = "") -> Invalid:
    """The problem of a Django validation error; its fields become JSON pointers under `pointer`."""
    if hasattr(error, "error_dict"):
        found = [(f"{pointer}/{field}", one) for field, errors in error.error_dict.items() for one in errors]
    else:
        found = [(pointer, one) for one in error.error_list]
    return Invalid(errors=[FieldError(place, " ".join(one.messages), one.code or "invalid") for place, one in found])
