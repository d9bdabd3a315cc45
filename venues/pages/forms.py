"""Base of the owners' forms: strict text, explanations of errors, a summary of errors at the top."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from venues.services.codes import CODE_LENGTH

MISSING: Final = {"required": _("Fill this in.")}
NEW_PASSWORD_HELP: Final = _("At least 10 characters. Three words that only you would join are good.")


class OwnerForm(forms.Form):
    """A form whose fields explain what is missing, and which knows the target of each error's link."""

    use_required_attribute = False  # the server reports it, in words and in one place

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if str(field.error_messages.get("required", "")) == str(forms.Field.default_error_messages["required"]):
                field.error_messages["required"] = MISSING["required"]

    @property
    def summary(self) -> list[tuple[str, str]]:
        """Return every error with the id of its field, in the order of the page; errors without a field come first."""
        found = [("", str(error)) for error in self.non_field_errors()]
        for field in self:
            found.extend(("" if field.is_hidden else field.auto_id, _named(field, error)) for error in field.errors)
        return found


def _named(field: forms.BoundField, error: Any) -> str:
    """Return an error with the name of its field, for the summary."""
    label = str(field.label)
    return f"{label} {error}" if label.endswith("?") else f"{label}: {error}"


class NoFields(OwnerForm):
    """A form that only asks for confirmation."""


class CodeForm(OwnerForm):
    """A code of the second factor."""

    code = forms.CharField(
        label=_("Code"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}),
    )


def password_field(*, new: bool, label: Any, **options: Any) -> forms.CharField:
    """Return a field for a password, which is never sent back with the form."""
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password" if new else "current-password"})
    return forms.CharField(label=label, widget=widget, strip=False, max_length=256, **options)


def code_field(**options: Any) -> forms.CharField:
    """Return a field for a code that people copy from another screen."""
    attributes = {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false", "size": str(CODE_LENGTH + 4)}
    return forms.CharField(max_length=64, widget=forms.TextInput(attrs=attributes), **options)


def name_field(label: Any, *, most: int = 120, **options: Any) -> forms.CharField:
    """Return a field for a name that people give to something."""
    widget = forms.TextInput(attrs={"autocomplete": "off"})
    return forms.CharField(label=label, max_length=most, widget=widget, **options)
