"""Base of the owners' forms: strict text, explanations of errors, a summary of errors at the top."""

from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from venues.services.codes import CODE_LENGTH

MISSING: Final = {"required": _("This field is required.")}
NEW_PASSWORD_HELP: Final = _("At least 10 characters. Three unrelated words work well.")
_NOT_SENT: Final = (forms.CheckboxInput, forms.RadioSelect, forms.HiddenInput)
"""What a browser leaves out where nothing is chosen, and what is no part of what a form changes."""


class OwnerForm(forms.Form):
    """A form whose fields explain what is missing, and which knows the target of each error's link."""

    use_required_attribute = False  # the server says it, in words and in one place
    keeps_unnamed = False
    """Whether the form changes something that is there: what is not sent at all stays as it is (`initial`)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)
        if self.keeps_unnamed and self.is_bound:
            self.fill_unnamed()
        for field in self.fields.values():
            if self.is_bound:
                field.widget.attrs.pop("data-zone", None)  # what was typed stays, even if it is the deployment's zone
            if str(field.error_messages.get("required", "")) == str(forms.Field.default_error_messages["required"]):
                field.error_messages["required"] = MISSING["required"]

    def fill_unnamed(self) -> None:
        """Take what was not sent from what is there.

        A browser sends every line of a form, so one that is not there was not named. It sends no box that is not
        checked; that is read as "unchecked" only where all lines were sent.
        """
        filled: Any = cast("Any", self.data).copy()
        lines = {name: field for name, field in self.fields.items() if not isinstance(field.widget, _NOT_SENT)}
        unnamed = [name for name in lines if self.add_prefix(name) not in filled]
        for name in unnamed:
            value = lines[name].widget.format_value(self.get_initial_for_field(lines[name], name))
            filled[self.add_prefix(name)] = value[0] if isinstance(value, list) else value or ""
        for name, field in self.fields.items() if unnamed else ():
            is_box = isinstance(field.widget, forms.CheckboxInput)
            if is_box and self.add_prefix(name) not in filled and self.get_initial_for_field(field, name):
                filled[self.add_prefix(name)] = "on"
        for name, field in self.fields.items():
            # One of several buttons is always chosen in what is there, so that none was sent means: not named.
            if isinstance(field.widget, forms.RadioSelect) and field.required and self.add_prefix(name) not in filled:
                filled[self.add_prefix(name)] = self.get_initial_for_field(field, name) or ""
        self.data = filled

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
