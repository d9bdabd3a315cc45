"""Sign-up, log-in with its second factor, log-out, lost passwords, confirmed addresses, joining a team.

Between password and second factor, the session records for at most five minutes whose password was right; a new
password in the meantime ends that. At log-in the session gets a new key. It ends after twelve hours, or after fourteen
days if the user chose to stay logged in on this device.
"""

import datetime as dt
from functools import partial
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from common.time import utc_now
from venues import email_links, guesses
from venues.models import Membership
from venues.pages.base import anyones_page, bound, done, form_page, go_back, show_form, user_of
from venues.pages.forms import NEW_PASSWORD_HELP, CodeForm, NoFields, OwnerForm, code_field, password_field
from venues.services import accounts, second_factor
from venues.services.accounts import check_password, confirm_email, reset_password
from venues.services.organisations import redeem_member_code

BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
PENDING: Final = "second_factor_pending"
PENDING_LIVES: Final = dt.timedelta(minutes=5)
SESSION_LIVES: Final = dt.timedelta(hours=12)


# Forms ---------------------------------------------------------------------------------------------------------------
class SignUpForm(OwnerForm):
    """A new account."""

    username = forms.CharField(
        label=gettext_lazy("Choose a name"),
        max_length=150,
        help_text=gettext_lazy("Used to log in. Only your team sees it. Letters, digits and @ . + - _, no spaces."),
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false"}),
    )
    password = password_field(new=True, label=gettext_lazy("Choose a password"), help_text=NEW_PASSWORD_HELP)
    email = forms.EmailField(
        label=gettext_lazy("E-mail (optional)"),
        required=False,
        max_length=254,
        help_text=gettext_lazy(
            "To reset a lost password, and for e-mails that you ask for. "
            "Without an address, a lost password cannot be reset."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Enter it like name@example.org, or leave it empty.")},
    )


class LogInForm(OwnerForm):
    """User name and password."""

    username = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "off", "spellcheck": "false"}),
    )
    password = password_field(new=False, label=gettext_lazy("Password"))
    stay = forms.BooleanField(label=gettext_lazy("Stay logged in on this device for 14 days"), required=False)


class ForgotForm(OwnerForm):
    """The e-mail address for a link."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail of your account"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"invalid": gettext_lazy("Enter it like name@example.org.")},
    )


class ConfirmForm(OwnerForm):
    """The token of a link: the page's script reads it after the `#`; without a script it is typed."""

    token = forms.CharField(
        label=gettext_lazy("Code from the link"),
        max_length=200,
        help_text=gettext_lazy("Everything after the # of the link in the mail."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "data-from-address": "", "spellcheck": "false"}),
    )


class ResetForm(ConfirmForm):
    """The token of the link, and a new password."""

    password = password_field(new=True, label=gettext_lazy("New password"), help_text=NEW_PASSWORD_HELP)


class JoinForm(OwnerForm):
    """A code from a co-worker."""

    code = code_field(label=gettext_lazy("Code"), help_text=gettext_lazy("As your colleague's screen shows it."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs |= {"data-from-address": "", "data-keep": "join"}


# Pages ---------------------------------------------------------------------------------------------------------------
@anyones_page
def sign_up(request: HttpRequest) -> HttpResponse:
    """Create an account and log in."""
    if request.user.is_authenticated:
        return go_back(request, "/owner/start")

    def welcome(made: User) -> HttpResponse:
        _start_session(request, made, stay=False)
        if email_links.offer_confirmation(request, made):
            messages.info(request, email_links.asked_to_confirm(made))
        return go_back(request, "/owner/start")

    return form_page(
        request,
        bound(SignUpForm, request),
        partial(accounts.sign_up, now=utc_now()),
        welcome,
        guesses=True,
        title=_("Sign up"),
        submit=_("Sign up"),
        lead=_("For people who run a place or host an event. Visitors do not need an account. It is free."),
        template="venues/owner/sign_up.html",
        next=request.GET.get("next", ""),
    )


@anyones_page
def log_in(request: HttpRequest) -> HttpResponse:
    """Ask for user name and password; then for the second factor, if there is one."""
    if request.user.is_authenticated:
        return go_back(request)
    form = bound(LogInForm, request)

    def next_step(user: User) -> HttpResponse:
        stay = form.cleaned_data["stay"]
        if not second_factor.is_on(user):
            _start_session(request, user, stay=stay)
            return guesses.known(go_back(request), user)
        request.session.cycle_key()
        until = (utc_now() + PENDING_LIVES).timestamp()
        request.session[PENDING] = [user.pk, user.get_session_auth_hash(), until, stay]
        return redirect(f"/owner/login/code?{request.GET.urlencode()}".rstrip("?"))

    def check(username: str, password: str, **_stay: bool) -> User:
        with guesses.counted(request, username):
            return check_password(username=username, password=password)

    return form_page(
        request,
        form,
        check,
        next_step,
        guesses=True,
        title=_("Log in"),
        submit=_("Log in"),
        template="venues/owner/log_in.html",
        next=request.GET.get("next", ""),
    )


@anyones_page
def log_in_code(request: HttpRequest) -> HttpResponse:
    """Ask for the second factor of the user who just gave the right password."""
    user, stay = _pending(request)
    if user is None:
        return redirect("owner-page-log-in")

    def let_in(_checked: object) -> HttpResponse:
        del request.session[PENDING]
        _start_session(request, user, stay=stay)
        return guesses.known(go_back(request), user)

    def check(code: str) -> None:
        with guesses.counted(request, user.username):
            second_factor.check_code(user=user, code=code, now=utc_now())

    return form_page(
        request,
        bound(CodeForm, request),
        check,
        let_in,
        fields={"": "code"},
        guesses=True,
        title=_("Your second factor"),
        submit=_("Continue"),
        lead=_("Enter the six digits that your authenticator app shows now, or one of your recovery codes."),
    )


@anyones_page
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session; ask first if it was opened as a URL."""
    if request.method == "POST":
        logout(request)
        return redirect("page-front")
    return show_form(request, NoFields(), _("Log out"), _("Log out"), lead=_("This ends your session on this device."))


@anyones_page
def forgot(request: HttpRequest) -> HttpResponse:
    """Send a link by e-mail. The page is the same whether or not an account has this address."""
    return form_page(
        request,
        bound(ForgotForm, request),
        lambda email: email_links.send_reset(request, email),
        lambda _sent: render(request, "venues/owner/forgot_done.html", {"mails_leave": email_links.leave()}),
        guesses=True,
        title=_("Reset your password"),
        submit=_("Send me a link"),
        lead=_("We send you a link that works once, for three days."),
    )


@anyones_page
def reset(request: HttpRequest) -> HttpResponse:
    """Set a new password with the part after the `#` of the link, which the page's script reads."""
    return form_page(
        request,
        bound(ResetForm, request),
        partial(reset_password, now=utc_now()),
        lambda user: guesses.known(
            done(request, _("Password changed. Log in with the new one."), "owner-page-log-in"), user
        ),
        guesses=True,
        title=_("Choose a new password"),
        submit=_("Save new password"),
    )


@anyones_page
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm an address with the part after the `#` of the link; the user need not be logged in."""
    back = "owner-page-account" if request.user.is_authenticated else "owner-page-log-in"
    return form_page(
        request,
        bound(ConfirmForm, request),
        partial(confirm_email, now=utc_now()),
        lambda _user: done(request, _("Your address is confirmed."), back),
        guesses=True,
        title=_("Confirm your address"),
        submit=_("Confirm"),
    )


@anyones_page
def join(request: HttpRequest) -> HttpResponse:
    """Join a team with a code. A user who is not logged in does that first; the code waits in the browser."""
    if not request.user.is_authenticated:
        return render(request, "venues/owner/join_first.html")

    def welcome(membership: Membership) -> HttpResponse:
        words = _("You have joined %(name)s.") % {"name": membership.organisation.name}
        return done(request, words, "owner-page-home")

    return form_page(
        request,
        bound(JoinForm, request),
        partial(redeem_member_code, user=user_of(request), now=utc_now()),
        welcome,
        guesses=True,
        title=_("Join a team"),
        submit=_("Join"),
        lead=_("A colleague who is an owner creates a code for you. It is valid for seven days."),
    )


# Sessions ------------------------------------------------------------------------------------------------------------
def _start_session(request: HttpRequest, user: User, *, stay: bool) -> None:
    login(request, user, backend=BACKEND)
    request.session.set_expiry(None if stay else int(SESSION_LIVES.total_seconds()))


def _pending(request: HttpRequest) -> tuple[User | None, bool]:
    """Return the user who gave the right password a moment ago, and whether they want to stay logged in."""
    key, password_hash, until, stay = request.session.get(PENDING, (0, "", 0, False))
    user = User.objects.filter(pk=key, is_active=True).first()
    if user is None or until < utc_now().timestamp():
        return None, False
    return (user, stay) if constant_time_compare(user.get_session_auth_hash(), password_hash) else (None, False)
