"""Base of the owners' pages: access, forms that keep their input, errors of services in forms.

A page responds to an invalid form with the form, and to a completed one with a redirect, so that reloading repeats
nothing. Objects of others do not exist, as in the API: pages read through `venues.selectors`.
"""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, TypeVar, cast, overload

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.web import throttles
from common.web.problems import Forbidden, Problem
from venues.guesses import inside
from venues.pages import kept_input

Page = Callable[..., HttpResponse]
Done = TypeVar("Done")
FORM_METHODS: Final = ("GET", "HEAD", "POST")


def anyones_page(view: Page) -> Callable[..., HttpResponseBase]:
    """Wrap a page that needs no log-in."""
    return never_cache(sends_forms(require_http_methods(FORM_METHODS)(view)))


def sends_forms(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Wrap a page whose forms send their origin to our own server.

    Elsewhere no referrer is sent (`no-referrer`); but a browser then sends `Origin: null` with a form, which Django
    rightly refuses (CSRF).
    """

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response.headers["Referrer-Policy"] = "same-origin"
        return response

    return page


def owner_page(view: Page) -> Callable[..., HttpResponseBase]:
    """Wrap a page of an account; other users are sent to log in first and come back."""

    @wraps(view)
    def page(request: HttpRequest, **ids: str) -> HttpResponse:
        if not request.user.is_authenticated:
            kept_input.keep(request)
            return redirect_to_login(request.get_full_path())
        return view(request, **ids)

    return anyones_page(page)


def owner_action(view: Page) -> Callable[..., HttpResponseBase]:
    """Wrap the URL of a button: POST only; a GET redirects to the owner's start."""

    @wraps(view)
    def action(request: HttpRequest, **ids: str) -> HttpResponse:
        return view(request, **ids) if request.method == "POST" else redirect(settings.LOGIN_REDIRECT_URL)

    return owner_page(action)


def operator_page(view: Page) -> Callable[..., HttpResponseBase]:
    """Wrap a page for operators; other accounts are refused."""

    @wraps(view)
    def page(request: HttpRequest, **ids: str) -> HttpResponse:
        if not user_of(request).is_staff:
            raise Forbidden
        return view(request, **ids)

    return owner_page(page)


def user_of(request: HttpRequest) -> User:
    """Return the account of a page that requires one."""
    return cast("User", request.user)


@overload
def attempt(
    form: forms.Form,
    action: Callable[[], None],
    *,
    fields: Mapping[str, str] | None = ...,
    guesses: HttpRequest | None = ...,
) -> bool | None: ...


@overload
def attempt(
    form: forms.Form,
    action: Callable[[], Done],
    *,
    fields: Mapping[str, str] | None = ...,
    guesses: HttpRequest | None = ...,
) -> Done | None: ...


def attempt(
    form: forms.Form,
    action: Callable[[], Any],
    *,
    fields: Mapping[str, str] | None = None,
    guesses: HttpRequest | None = None,
) -> Any:
    """Return the result of a service; `None` if it refuses, with its reasons in the form.

    A reason whose pointer names a field of the form (`/zip`), or whose beginning `fields` maps to one, is shown at that
    field; all others are shown at the top. An action that returns nothing gives `True`. `guesses` is the request of a
    form with a password or a code: it counts against the limits of attempts to log in.
    """
    try:
        if guesses is not None:
            throttles.check(guesses, "login")
            if isinstance(guesses.user, User):
                throttles.check(guesses, "account", inside(guesses.user))
        result = action()
    except Problem as problem:
        if problem.status >= 500:
            raise
        for error in problem.errors:
            form.add_error(_field(form, error.pointer, fields or {}), str(error.detail))
        if not problem.errors:
            form.add_error(None, str(problem.detail))
        return None
    return True if result is None else result


def _field(form: forms.Form, pointer: str, fields: Mapping[str, str]) -> str | None:
    for beginning, name in fields.items():
        if pointer == beginning or pointer.startswith(f"{beginning}/"):
            return name
    name = pointer.removeprefix("/").partition("/")[0]
    return name if name in form.fields else None


def bound(form: type[forms.Form], request: HttpRequest, **options: Any) -> Any:
    """Return the form with what was sent, or empty; or with the input of before a session ended, for review."""
    if request.method == "POST":
        return form(request.POST, **options)
    kept = kept_input.take(request)
    if kept is None:
        return form(None, **options)
    messages.info(request, _("Your session had ended. Here is what you typed; nothing was saved yet."))
    fresh = form(None, **options)
    fresh.initial.update(
        {name: kept.get(name, field.initial if field.widget.is_hidden else "") for name, field in fresh.fields.items()}
    )
    return fresh


def form_page(
    request: HttpRequest,
    form: forms.Form,
    action: Callable[..., Any],
    then: Callable[[Any], HttpResponse],
    *,
    title: Any,
    submit: Any,
    fields: Mapping[str, str] | None = None,
    guesses: bool = False,
    **context: Any,
) -> HttpResponse:
    """Process a page that consists of one form: `then` after `action` succeeded, otherwise the form with its errors.

    `action` takes the form's fields as keywords; `then` takes its result. `fields` and `guesses` are those of
    `attempt`; the rest is passed to `show_form`.
    """
    if form.is_valid():
        result = attempt(form, lambda: action(**form.cleaned_data), fields=fields, guesses=request if guesses else None)
        if result is not None:
            return then(result)
    return show_form(request, form, title, submit, **context)


def show_form(request: HttpRequest, form: forms.Form, title: Any, submit: Any, **context: Any) -> HttpResponse:
    """Show a page that consists of one form: `lead` and `after` add text, `danger` marks what cannot be undone."""
    template = context.pop("template", "venues/owner/form.html")
    return render(request, template, {"form": form, "title": title, "submit": submit} | context)


def done(request: HttpRequest, message: Any, to: str, **ids: str) -> HttpResponse:
    """Redirect to a page that confirms what was done."""
    messages.success(request, str(message))
    return HttpResponseRedirect(reverse(to, kwargs=ids))


def go_back(request: HttpRequest, default: str = "") -> HttpResponse:
    """Redirect to where the previous page wanted to go: `next`, if it is a path of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return HttpResponseRedirect(wanted if safe else default or settings.LOGIN_REDIRECT_URL)
