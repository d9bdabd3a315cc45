"""The account of a logged-in user: its e-mail address, password, second factor, tokens for programs, deletion."""

from functools import partial

from django import forms
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from common.web.problems import Problem
from venues import email_links, selectors
from venues.pages.base import bound, done, form_page, owner_action, owner_page, user_of
from venues.pages.forms import NEW_PASSWORD_HELP, CodeForm, OwnerForm, code_field, name_field, password_field
from venues.services import accounts, second_factor
from venues.services.accounts import (
    LONGEST_TOKEN_DAYS,
    change_email,
    change_password,
    make_owner_token,
    remove_owner_token,
)
from venues.services.codes import qr_svg


# Forms ---------------------------------------------------------------------------------------------------------------
class EmailForm(OwnerForm):
    """A new e-mail address."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=254,
        help_text=gettext_lazy(
            "To reset a lost password, and for e-mails that you ask for. Leave it empty to have no address."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Enter it like name@example.org, or leave it empty.")},
    )
    password = password_field(new=False, label=gettext_lazy("Your password"))


class PasswordForm(OwnerForm):
    """The old password and a new one."""

    old = password_field(new=False, label=gettext_lazy("Your password now"))
    new = password_field(new=True, label=gettext_lazy("New password"), help_text=NEW_PASSWORD_HELP)


class PasswordOnlyForm(OwnerForm):
    """The password, for confirmation."""

    password = password_field(new=False, label=gettext_lazy("Your password"))


class SecondFactorOffForm(PasswordOnlyForm):
    """Password and code, for confirmation."""

    code = code_field(label=gettext_lazy("Code from your app, or a recovery code"))


class TokenForm(OwnerForm):
    """A new token."""

    name = name_field(gettext_lazy("What is it for?"), most=80)
    days = forms.IntegerField(
        label=gettext_lazy("Valid for (days)"), min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90
    )


# Pages ---------------------------------------------------------------------------------------------------------------
@owner_page
def account(request: HttpRequest) -> HttpResponse:
    """Show name, e-mail address, second factor, teams and tokens."""
    user = user_of(request)
    context = {
        "email_confirmed": selectors.email_confirmed(user),
        "mails_leave": email_links.leave(),
        "second_factor": second_factor.is_on(user),
        "memberships": selectors.memberships(user).order_by("organisation__name"),
        "tokens": user.owner_tokens.filter(expires_at__gt=utc_now()).order_by("-pk"),
    }
    return render(request, "venues/owner/account.html", context)


@owner_page
def email(request: HttpRequest) -> HttpResponse:
    """Set the e-mail address. A confirmation link is sent to a new one."""
    user = user_of(request)

    def ask_to_confirm(changed: User) -> HttpResponse:
        asked = changed.email != user.email and email_links.offer_confirmation(request, changed)
        words = email_links.asked_to_confirm(changed) if asked else _("E-mail address saved.")
        return done(request, words, "owner-page-account")

    return form_page(
        request,
        bound(EmailForm, request, initial={"email": user.email}),
        partial(change_email, user=user, now=utc_now()),
        ask_to_confirm,
        guesses=True,
        title=_("Your e-mail"),
        submit=_("Save"),
        back="owner-page-account",
    )


@owner_action
def send_confirmation(request: HttpRequest) -> HttpResponse:
    """Send the link that confirms the e-mail address again."""
    user = user_of(request)
    try:
        email_links.send_confirmation(request, user)
    except Problem as problem:
        words = str(problem.errors[0].detail if problem.errors else problem.detail)
        return done(request, words, "owner-page-account")
    return done(request, email_links.asked_to_confirm(user), "owner-page-account")


@owner_page
def password(request: HttpRequest) -> HttpResponse:
    """Set a new password; this session continues, other sessions and all tokens end."""

    def stay_logged_in(user: User) -> HttpResponse:
        update_session_auth_hash(request, user)
        return done(request, _("Password changed. All other devices are logged out."), "owner-page-account")

    return form_page(
        request,
        bound(PasswordForm, request),
        partial(change_password, user=user_of(request), now=utc_now()),
        stay_logged_in,
        guesses=True,
        title=_("Change your password"),
        submit=_("Change it"),
        lead=_("Other devices are logged out, and API tokens stop working."),
        back="owner-page-account",
    )


@owner_action
def second_factor_begin(request: HttpRequest) -> HttpResponse:
    """Create a secret, then show it."""
    if not second_factor.is_on(user_of(request)):
        second_factor.begin(user=user_of(request), now=utc_now())
    return redirect("owner-page-second-factor")


@owner_page
def second_factor_on(request: HttpRequest) -> HttpResponse:
    """Turn the second factor on: a code to scan, its first six digits, then the recovery codes, shown only once."""
    user = user_of(request)
    uri = second_factor.begun(user=user)
    if uri is None:
        return redirect("owner-page-account")
    return form_page(
        request,
        bound(CodeForm, request),
        partial(second_factor.confirm, user=user, now=utc_now()),
        lambda codes: render(request, "venues/owner/recovery_codes.html", {"codes": codes}),
        guesses=True,
        title=_("Turn on the second factor"),
        submit=_("Turn it on"),
        template="venues/owner/second_factor.html",
        qr=qr_svg(uri),
        secret=second_factor.secret_of(uri),
        back="owner-page-account",
    )


@owner_page
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Turn the second factor off."""
    return form_page(
        request,
        bound(SecondFactorOffForm, request),
        partial(second_factor.turn_off, user=user_of(request), now=utc_now()),
        lambda _off: done(request, _("The second factor is off."), "owner-page-account"),
        guesses=True,
        title=_("Turn off the second factor"),
        submit=_("Turn it off"),
        back="owner-page-account",
        danger=True,
    )


@owner_page
def close_account(request: HttpRequest) -> HttpResponse:
    """Delete the account."""

    def say_goodbye(_closed: object) -> HttpResponse:
        logout(request)
        return redirect("page-front")

    return form_page(
        request,
        bound(PasswordOnlyForm, request),
        partial(accounts.close_account, user=user_of(request), now=utc_now()),
        say_goodbye,
        guesses=True,
        title=_("Delete your account"),
        submit=_("Delete permanently"),
        lead=_("Your name, second factor, roles and tokens are deleted at once. This cannot be undone."),
        back="owner-page-account",
        danger=True,
    )


@owner_page
def new_token(request: HttpRequest) -> HttpResponse:
    """Create a token for a program; it is shown only once."""
    return form_page(
        request,
        bound(TokenForm, request),
        partial(make_owner_token, user=user_of(request), now=utc_now()),
        lambda made: render(request, "venues/owner/token.html", {"row": made[0], "token": made[1]}),
        title=_("New API token"),
        submit=_("Create token"),
        lead=_("A program with this token can do everything you can, except change the account."),
        back="owner-page-account",
    )


@owner_action
def remove_token(request: HttpRequest, token: str) -> HttpResponse:
    """Revoke a token at once."""
    remove_owner_token(token=selectors.owner_token(user_of(request), token), now=utc_now())
    return done(request, _("Token revoked."), "owner-page-account")
