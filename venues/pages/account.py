"""Sign-up, log-in with its second factor, log-out, lost passwords, the account itself, tokens for programs.

Between password and second factor the session knows whose password was right, for five minutes and no longer; a new
password in between ends that. At log-in the session gets a new key. It ends after twelve hours, or after fourteen days
where somebody asked to stay logged in on this device.
"""

import datetime as dt
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from common.web.problems import Problem
from venues import letters, selectors
from venues.pages.base import (
    anyones_page,
    attempt,
    bound,
    done,
    go_back,
    owner_action,
    owner_page,
    show_form,
    user_of,
)
from venues.pages.forms import NoFields, OwnerForm, code_field, name_field, password_field
from venues.services import accounts, second_factor
from venues.services.accounts import (
    LONGEST_TOKEN_DAYS,
    change_email,
    change_password,
    check_password,
    confirm_email,
    make_owner_token,
    remove_owner_token,
    reset_password,
)
from venues.services.codes import qr_svg
from venues.services.organisations import redeem_member_code

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
PENDING: Final = "second_factor_pending"
PENDING_LIVES: Final = dt.timedelta(minutes=5)
SESSION_LIVES: Final = dt.timedelta(hours=12)
NEW_PASSWORD_HELP: Final = gettext_lazy("At least 10 characters. Three words that only you would join are good.")


# Before log-in -------------------------------------------------------------------------------------------------------
class SignUpForm(OwnerForm):
    """A new account."""

    username = forms.CharField(
        label=gettext_lazy("Choose a name"),
        max_length=150,
        help_text=gettext_lazy("To log in with. Only your team sees it. Letters, digits and @ . + - _, no spaces."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false"}),
    )
    password = password_field(new=True, label=gettext_lazy("Choose a password"), help_text=NEW_PASSWORD_HELP)
    email = forms.EmailField(
        label=gettext_lazy("E-mail (not needed)"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("For a lost password, and for mails you ask for. Without one, a lost password is lost."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Write it like name@example.org, or leave it empty.")},
    )


class LogInForm(OwnerForm):
    """Name and password."""

    username = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false"}),
    )
    password = password_field(new=False, label=gettext_lazy("Password"))
    stay = forms.BooleanField(label=gettext_lazy("Stay logged in on this device for 14 days"), required=False)


class CodeForm(OwnerForm):
    """A code of the second factor."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autocapitalize": "off", "spellcheck": "false"}),
    )


class ForgotForm(OwnerForm):
    """Where to mail a link."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail of your account"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Write it like name@example.org.")},
    )


class ConfirmForm(OwnerForm):
    """What a mailed link carried: the page's script reads it behind the `#`, without one it is typed."""

    token = forms.CharField(
        label=gettext_lazy("Code from the link"),
        max_length=200,
        help_text=gettext_lazy("Everything after the # of the link in the mail."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-from-address": "", "spellcheck": "false"}),
    )


class ResetForm(ConfirmForm):
    """What the link carried, and a new password."""

    password = password_field(new=True, label=gettext_lazy("New password"), help_text=NEW_PASSWORD_HELP)


class JoinForm(OwnerForm):
    """A code from a co-worker."""

    code = code_field(label=gettext_lazy("Code"), help_text=gettext_lazy("As your colleague's screen shows it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"data-from-address": "", "data-keep": "join"}


@anyones_page
def sign_up(request: HttpRequest) -> HttpResponse:
    """Make an account and log in."""
    if request.user.is_authenticated:
        return go_back(request, "/owner/start")
    form = bound(SignUpForm, request)
    if form.is_valid():
        made = attempt(form, lambda: accounts.sign_up(**form.cleaned_data, now=utc_now()), guesses=request)
        if made is not None:
            _start_session(request, made, stay=False)
            if letters.offer_confirmation(request, made):
                messages.info(request, _asked_to_confirm(made))
            return go_back(request, "/owner/start")
    return show_form(
        request,
        form,
        _("Make an account"),
        _("Make the account"),
        lead=_("For people who run a place or host an event. Visitors never need one. It is free."),
        template="venues/owner/sign_up.html",
        next=request.GET.get("next", ""),
    )


@anyones_page
def log_in(request: HttpRequest) -> HttpResponse:
    """Name and password; then the second factor, where there is one."""
    if request.user.is_authenticated:
        return go_back(request)
    form = bound(LogInForm, request)
    if form.is_valid():
        given = form.cleaned_data
        user = attempt(
            form,
            lambda: check_password(username=given["username"], password=given["password"]),
            guesses=request,
        )
        if user is not None and second_factor.is_on(user):
            request.session.cycle_key()
            request.session[PENDING] = [
                user.pk,
                user.get_session_auth_hash(),
                (utc_now() + PENDING_LIVES).timestamp(),
                given["stay"],
            ]
            return redirect(f"/owner/login/code?{request.GET.urlencode()}".rstrip("?"))
        if user is not None:
            _start_session(request, user, stay=given["stay"])
            return go_back(request)
    return show_form(
        request,
        form,
        _("Log in"),
        _("Log in"),
        template="venues/owner/log_in.html",
        next=request.GET.get("next", ""),
    )


@anyones_page
def log_in_code(request: HttpRequest) -> HttpResponse:
    """The second factor of who just gave the right password."""
    user, stay = _pending(request)
    if user is None:
        return redirect("owner-page-log-in")
    form = bound(CodeForm, request)
    if form.is_valid():
        action = lambda: second_factor.check_code(user=user, **form.cleaned_data, now=utc_now())  # noqa: E731
        if attempt(form, action, fields={"": "code"}, guesses=request):
            del request.session[PENDING]
            _start_session(request, user, stay=stay)
            return go_back(request)
    return show_form(
        request,
        form,
        _("Your second factor"),
        _("Continue"),
        lead=_("Type the six digits that your authenticator app shows now, or one of your recovery codes."),
    )


@anyones_page
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session; asks first where it was opened as an address."""
    if request.method == "POST":
        logout(request)
        return redirect("page-front")
    return show_form(request, NoFields(), _("Log out"), _("Log out"), lead=_("This ends your session on this device."))


@anyones_page
def forgot(request: HttpRequest) -> HttpResponse:
    """Have a link mailed. The page says the same whether or not an account has this address."""
    form = bound(ForgotForm, request)
    if form.is_valid() and attempt(
        form, lambda: letters.send_reset(request, form.cleaned_data["email"]), guesses=request
    ):
        return render(request, "venues/owner/forgot_done.html", {"mails_leave": letters.leave()})
    return show_form(
        request,
        form,
        _("A new password"),
        _("Send me a link"),
        lead=_("We mail you a link that works once, for three days."),
    )


@anyones_page
def reset(request: HttpRequest) -> HttpResponse:
    """A new password by what stands behind the `#` of the mailed link: the page's script reads it."""
    form = bound(ResetForm, request)
    if form.is_valid() and attempt(form, lambda: reset_password(**form.cleaned_data, now=utc_now()), guesses=request):
        return done(request, _("Your new password is set. Log in with it."), "owner-page-log-in")
    return show_form(request, form, _("Choose a new password"), _("Set the new password"))


@anyones_page
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm an address by what stands behind the `#` of the mailed link; who opens it need not be logged in."""
    form = bound(ConfirmForm, request)
    if form.is_valid() and attempt(form, lambda: confirm_email(**form.cleaned_data, now=utc_now()), guesses=request):
        to = "owner-page-account" if request.user.is_authenticated else "owner-page-log-in"
        return done(request, _("Your address is confirmed."), to)
    return show_form(request, form, _("Confirm your address"), _("It is mine"))


@anyones_page
def join(request: HttpRequest) -> HttpResponse:
    """Become a member of a team by a code. Who is not logged in does that first; the code waits in the browser."""
    if not request.user.is_authenticated:
        return render(request, "venues/owner/join_first.html")
    form = bound(JoinForm, request)
    if form.is_valid():
        membership = attempt(
            form,
            lambda: redeem_member_code(user=user_of(request), **form.cleaned_data, now=utc_now()),
            guesses=request,
        )
        if membership is not None:
            words = _("You are in the team of %(name)s now.") % {"name": membership.organisation.name}
            return done(request, words, "owner-page-home")
    return show_form(
        request,
        form,
        _("Join a team"),
        _("Join"),
        lead=_("A colleague who owns the place makes a code for you, good for seven days."),
    )


# The account ---------------------------------------------------------------------------------------------------------
class EmailForm(OwnerForm):
    """A new address."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        required=False,
        max_length=254,
        help_text=gettext_lazy("For a lost password, and for mails you ask for. Leave it empty to have none."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Write it like name@example.org, or leave it empty.")},
    )
    password = password_field(new=False, label=gettext_lazy("Your password"))


class PasswordForm(OwnerForm):
    """The old password and a new one."""

    old = password_field(new=False, label=gettext_lazy("Your password now"))
    new = password_field(new=True, label=gettext_lazy("New password"), help_text=NEW_PASSWORD_HELP)


class PasswordOnlyForm(OwnerForm):
    """The password, to be sure."""

    password = password_field(new=False, label=gettext_lazy("Your password"))


class SecondFactorOffForm(PasswordOnlyForm):
    """Password and code, to be sure."""

    code = code_field(label=gettext_lazy("Code of your app, or a recovery code"))


class TokenForm(OwnerForm):
    """A new token."""

    name = name_field(gettext_lazy("What is it for?"), most=80)
    days = forms.IntegerField(
        label=gettext_lazy("Days until it ends"), min_value=1, max_value=LONGEST_TOKEN_DAYS, initial=90
    )


@owner_page
def account(request: HttpRequest) -> HttpResponse:
    """Name, address, second factor, teams, tokens."""
    user = user_of(request)
    context = {
        "email_confirmed": selectors.email_confirmed(user),
        "mails_leave": letters.leave(),
        "second_factor": second_factor.is_on(user),
        "memberships": selectors.memberships(user).order_by("organisation__name"),
        "tokens": user.owner_tokens.filter(expires_at__gt=utc_now()).order_by("-pk"),
    }
    return render(request, "venues/owner/account.html", context)


@owner_page
def email(request: HttpRequest) -> HttpResponse:
    """Where mails go. A new address is asked to confirm itself."""
    user = user_of(request)
    form = bound(EmailForm, request, initial={"email": user.email})
    changed = form.is_valid() and attempt(
        form, lambda: change_email(user=user, **form.cleaned_data, now=utc_now()), guesses=request
    )
    if changed:
        asked = changed.email != user.email and letters.offer_confirmation(request, changed)
        words = _asked_to_confirm(changed) if asked else _("Your address is set.")
        return done(request, words, "owner-page-account")
    return show_form(request, form, _("Your e-mail"), _("Set it"), back="owner-page-account")


@owner_action
def send_confirmation(request: HttpRequest) -> HttpResponse:
    """Have the link that confirms the address mailed once more."""
    user = user_of(request)
    try:
        letters.send_confirmation(request, user)
    except Problem as problem:
        words = str(problem.errors[0].detail if problem.errors else problem.detail)
        return done(request, words, "owner-page-account")
    return done(request, _asked_to_confirm(user), "owner-page-account")


@owner_page
def password(request: HttpRequest) -> HttpResponse:
    """A new password; this session goes on, others and all tokens end."""
    form = bound(PasswordForm, request)
    if form.is_valid():
        user = attempt(
            form,
            lambda: change_password(user=user_of(request), **form.cleaned_data, now=utc_now()),
            guesses=request,
        )
        if user is not None:
            update_session_auth_hash(request, user)
            return done(request, _("Your new password is set. All other devices are logged out."), "owner-page-account")
    return show_form(
        request,
        form,
        _("Change your password"),
        _("Change it"),
        lead=_("Other devices are logged out, and tokens for programs end."),
        back="owner-page-account",
    )


@owner_action
def second_factor_begin(request: HttpRequest) -> HttpResponse:
    """Make a secret, then show it."""
    if not second_factor.is_on(user_of(request)):
        second_factor.begin(user=user_of(request), now=utc_now())
    return redirect("owner-page-second-factor")


@owner_page
def second_factor_on(request: HttpRequest) -> HttpResponse:
    """Turn the second factor on: a code to scan, its first six digits, then the recovery codes, shown once."""
    user = user_of(request)
    uri = second_factor.begun(user=user)
    if uri is None:
        return redirect("owner-page-account")
    form = bound(CodeForm, request)
    if form.is_valid():
        codes = attempt(
            form,
            lambda: second_factor.confirm(user=user, **form.cleaned_data, now=utc_now()),
            guesses=request,
        )
        if codes:
            return render(request, "venues/owner/recovery_codes.html", {"codes": codes})
    return show_form(
        request,
        form,
        _("Turn on the second factor"),
        _("Turn it on"),
        template="venues/owner/second_factor.html",
        qr=qr_svg(uri),
        secret=second_factor.secret_of(uri),
        back="owner-page-account",
    )


@owner_page
def second_factor_off(request: HttpRequest) -> HttpResponse:
    """Turn it off again."""
    form = bound(SecondFactorOffForm, request)
    if form.is_valid() and attempt(
        form, lambda: second_factor.turn_off(user=user_of(request), **form.cleaned_data, now=utc_now()), guesses=request
    ):
        return done(request, _("The second factor is off."), "owner-page-account")
    return show_form(
        request, form, _("Turn off the second factor"), _("Turn it off"), back="owner-page-account", danger=True
    )


@owner_page
def close_account(request: HttpRequest) -> HttpResponse:
    """Delete the account."""
    form = bound(PasswordOnlyForm, request)
    if form.is_valid() and attempt(
        form, lambda: accounts.close_account(user=user_of(request), **form.cleaned_data, now=utc_now()), guesses=request
    ):
        logout(request)
        return redirect("page-front")
    return show_form(
        request,
        form,
        _("Delete your account"),
        _("Delete it for good"),
        lead=_("Your name, second factor, roles and tokens are deleted at once. This cannot be taken back."),
        back="owner-page-account",
        danger=True,
    )


@owner_page
def new_token(request: HttpRequest) -> HttpResponse:
    """Make a token for a program; it is shown once."""
    form = bound(TokenForm, request)
    if form.is_valid():
        made = attempt(form, lambda: make_owner_token(user=user_of(request), **form.cleaned_data, now=utc_now()))
        if made is not None:
            return render(request, "venues/owner/token.html", {"row": made[0], "token": made[1]})
    return show_form(
        request,
        form,
        _("A token for a program"),
        _("Make the token"),
        lead=_("A program that has it does what you may do, except for the account itself."),
        back="owner-page-account",
    )


@owner_action
def remove_token(request: HttpRequest, token: str) -> HttpResponse:
    """End a token at once."""
    remove_owner_token(token=selectors.owner_token(user_of(request), token), now=utc_now())
    return done(request, _("The token has ended."), "owner-page-account")


# Sessions ------------------------------------------------------------------------------------------------------------
def _start_session(request: HttpRequest, user: User, *, stay: bool) -> None:
    login(request, user, backend=BACKEND)
    request.session.set_expiry(None if stay else int(SESSION_LIVES.total_seconds()))


def _pending(request: HttpRequest) -> tuple[User | None, bool]:
    """Who gave the right password a moment ago, and whether they want to stay logged in."""
    key, password_hash, until, stay = request.session.get(PENDING, (0, "", 0, False))
    user = User.objects.filter(pk=key, is_active=True).first()
    if user is None or until < utc_now().timestamp():
        return None, False
    return (user, stay) if constant_time_compare(user.get_session_auth_hash(), password_hash) else (None, False)


def _asked_to_confirm(user: User) -> str:
    """What happens to the link just asked for."""
    if letters.leave():
        words = _("A link is on its way to %(address)s. Open it to confirm the address; all else works meanwhile.")
        return words % {"address": user.email}
    return _("This copy has no mail server, so your address stays unconfirmed; all but mails works.")
