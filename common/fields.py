"""Model fields that apps share."""

from typing import TYPE_CHECKING, Any

from django.db import models

from common.text import clean_name

if TYPE_CHECKING:
    _Text = models.CharField[str, str]
else:
    _Text = models.CharField


class NameField(_Text):
    """A name that people see: `common.text.clean_name` of what was given, wherever a row is checked before it is saved.

    What is empty after that is refused as an empty name is. In the database and in migrations it is a `CharField`.
    """

    def to_python(self, value: Any) -> Any:
        """The clean name."""
        text = super().to_python(value)
        return clean_name(text) if isinstance(text, str) else text

    def deconstruct(self) -> Any:
        """As the field that it is to the database."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
