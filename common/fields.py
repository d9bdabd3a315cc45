"""Model fields shared by apps."""

from typing import TYPE_CHECKING, Any

from django.db import models

from common.text import clean_name

if TYPE_CHECKING:
    _Text = models.CharField[str, str]
else:
    _Text = models.CharField


class NameField(_Text):
    """A displayed name, cleaned by `common.text.clean_name` whenever a row is validated before it is saved.

    A name that is empty after cleaning is refused as an empty one. In the database and in migrations this is a
    `CharField`.
    """

    def to_python(self, value: Any) -> Any:
        """Return the clean name."""
        text = super().to_python(value)
        return clean_name(text) if isinstance(text, str) else text

    def deconstruct(self) -> Any:
        """Return the deconstruction of a `CharField`, which this is to the database."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
