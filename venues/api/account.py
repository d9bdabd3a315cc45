"""Accounts: sign-up, session, password, second factor, tokens for programs."""

from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.models import User
from django.middleware.csrf import get_token
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.time import utc_now
from common.web.idempotency import idempotent
from common.web.problems import Conflict, TooMany, Unauthorized, Unavailable
from common.web.serializers import read_body, without_body
from common.web.throttles import AddressThrottle, LoginThrottle
from venues import email_links, guesses, selectors
from venues.api import serializers as s
from venues.api.base import AccountView, OwnerListView, OwnerView, no_content
from venues.services import second_factor
from venues.services.accounts import (
    change_email,
    change_password,
    check_log_in,
    close_account,
    confirm_email,
    make_owner_token,
    remove_owner_token,
    reset_password,
    sign_up,
)
from venues.services.codes import qr_svg

BACKEND = "django.contrib.auth.backends.ModelBackend"
THROTTLES = (AddressThrottle, LoginThrottle)
OWN_THROTTLES = (*THROTTLES, guesses.InsideThrottle)
PASSPHRASE = "seven quiet otters"  # noqa: S105 - an example
ME = {
    "username": "rosa",
    "email": "rosa@example.org",
    "email_confirmed": True,
    "operator": False,
    "second_factor": True,
    "organisations": [
        {"id": "o_7h3kq2m4xz", "name": "Corner Ltd", "role": "owner", "membership": "m_p0d8s1x2kw"},
    ],
}


def account(user: User) -> dict[str, object]:
    """Return the value of an `AccountOutput`."""
    return {
        "username": user.username,
        "email": user.email,
        "email_confirmed": selectors.email_confirmed(user),
        "operator": user.is_staff,
        "second_factor": second_factor.is_on(user),
        "organisations": selectors.memberships(user).order_by("pk"),
    }


class SignUpView(APIView):
    """Accounts of people who run venues. Visitors need none."""

    throttle_classes = THROTTLES

    @extend_schema(
        operation_id="sign_up",
        request=s.SignUpInput,
        responses={201: s.AccountOutput},
        examples=[
            OpenApiExample("rosa", {"username": "rosa", "password": PASSPHRASE}, request_only=True),
            OpenApiExample("made", ME, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create an account and log in: the response sets session cookies.

        A confirmation link is sent to an e-mail address.
        """
        user = sign_up(**read_body(request, s.SignUpInput), now=utc_now())
        _start_session(request, user)
        email_links.offer_confirmation(request._request, user)
        return Response(s.AccountOutput(account(user)).data, status=201)


class MeView(OwnerView):
    """The account of the user."""

    @extend_schema(
        operation_id="account",
        responses=s.AccountOutput,
        examples=[OpenApiExample("me", ME, response_only=True)],
    )
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return name, e-mail address, and roles in organisations."""
        return self.show(s.AccountOutput, account(self.user))


class EmailView(AccountView):
    """The e-mail address for a lost password and for notifications about venues."""

    throttle_classes = OWN_THROTTLES

    @extend_schema(operation_id="change_email", request=s.EmailInput, responses=s.AccountOutput)
    def put(self, request: Request) -> Response:
        """Set the e-mail address. A new one gets a confirmation link; until it is confirmed, notifications wait."""
        before = self.user.email
        user = change_email(user=self.user, **read_body(request, s.EmailInput), now=utc_now())
        if user.email != before:
            email_links.offer_confirmation(request._request, user)
        return self.show(s.AccountOutput, account(user))


class ConfirmationView(AccountView):
    """The link that confirms the e-mail address."""

    problems = (Conflict, TooMany, Unavailable)

    @extend_schema(operation_id="ask_for_confirmation", request=None, responses={202: None})
    @without_body
    def post(self, request: Request) -> Response:
        """Send the link again. 409 `no_email` without an address, `confirmed` if it is confirmed already."""
        email_links.send_confirmation(request._request, self.user)
        return Response(status=202)


class ConfirmView(APIView):
    """Confirmation of an e-mail address."""

    throttle_classes = THROTTLES

    @extend_schema(operation_id="confirm_email", request=s.ConfirmInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Confirm the address of an account with the part after the `#` of the link, once."""
        confirm_email(**read_body(request, s.ConfirmInput), now=utc_now())
        return no_content()


class CloseAccountView(AccountView):
    """Deletion of an account."""

    throttle_classes = OWN_THROTTLES
    problems = (Conflict,)

    @extend_schema(operation_id="close_account", request=s.PasswordInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Delete the account. The last owner of an organisation must close it or hand it over first."""
        close_account(user=self.user, **read_body(request, s.PasswordInput), now=utc_now())
        logout(request._request)
        return no_content()


class LogInView(APIView):
    """Start of a session."""

    throttle_classes = THROTTLES
    problems = (Unauthorized,)

    @extend_schema(
        operation_id="log_in",
        request=s.LogInInput,
        responses=s.AccountOutput,
        examples=[
            OpenApiExample(
                "with a second factor",
                {"username": "rosa", "password": PASSPHRASE, "code": "492039"},
                request_only=True,
            ),
            OpenApiExample("logged in", ME, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Log in. The code of a 401 tells what is missing: `wrong_credentials`, `second_factor_needed`, `wrong_code`.

        The response sets the cookies `sessionid` and `csrftoken`; send the value of the latter as `X-CSRFToken` with
        every request that changes something.
        """
        body = read_body(request, s.LogInInput)
        with guesses.counted(request._request, body["username"]):
            user = check_log_in(**body, now=utc_now())
        _start_session(request, user)
        return guesses.known(Response(s.AccountOutput(account(user)).data), user)


class LogOutView(AccountView):
    """End of a session."""

    @extend_schema(operation_id="log_out", request=None, responses={204: None})
    @without_body
    def post(self, request: Request) -> Response:
        """Log out."""
        logout(request._request)
        return no_content()


class PasswordView(AccountView):
    """The password."""

    throttle_classes = OWN_THROTTLES

    @extend_schema(operation_id="change_password", request=s.NewPasswordInput, responses={204: None})
    def put(self, request: Request) -> Response:
        """Set a new password. This session continues; all other sessions and all tokens end."""
        user = change_password(user=self.user, **read_body(request, s.NewPasswordInput), now=utc_now())
        update_session_auth_hash(request._request, user)
        return no_content()


class ResetView(APIView):
    """Reset of a lost password."""

    throttle_classes = THROTTLES

    @extend_schema(
        operation_id="ask_for_password_reset",
        request=s.ResetInput,
        responses={202: None},
        examples=[OpenApiExample("rosa", {"email": "rosa@example.org"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Send a link by e-mail. The response is the same whether or not an account has this address."""
        email_links.send_reset(request._request, read_body(request, s.ResetInput)["email"])
        return Response(status=202)


class ResetConfirmView(APIView):
    """A new password by a link."""

    throttle_classes = THROTTLES

    @extend_schema(operation_id="reset_password", request=s.ResetConfirmInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Set a new password with the part after the `#` of the link, once. This confirms the address too."""
        user = reset_password(**read_body(request, s.ResetConfirmInput), now=utc_now())
        return guesses.known(no_content(), user)


class SecondFactorView(AccountView):
    """The second factor."""

    throttle_classes = THROTTLES
    problems = (Conflict,)

    @extend_schema(operation_id="begin_second_factor", request=None, responses={201: s.SecondFactorOutput})
    @without_body
    def post(self, request: Request) -> Response:  # noqa: ARG002
        """Create a secret for an authenticator app; log-in requires it once it is confirmed."""
        uri = second_factor.begin(user=self.user, now=utc_now())
        return self.show(s.SecondFactorOutput, {"uri": uri, "qr_svg": qr_svg(uri)}, 201)


class SecondFactorConfirmView(AccountView):
    """Activation of the second factor."""

    throttle_classes = THROTTLES
    problems = (Conflict,)

    @extend_schema(operation_id="confirm_second_factor", request=s.CodeInput, responses=s.RecoveryCodesOutput)
    def post(self, request: Request) -> Response:
        """Turn the second factor on with its first code; the response has the recovery codes, shown only once."""
        codes = second_factor.confirm(user=self.user, **read_body(request, s.CodeInput), now=utc_now())
        return self.show(s.RecoveryCodesOutput, {"recovery_codes": codes})


class SecondFactorOffView(AccountView):
    """Deactivation of the second factor."""

    throttle_classes = OWN_THROTTLES
    problems = (Conflict,)

    @extend_schema(operation_id="end_second_factor", request=s.SecondFactorOffInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """Turn the second factor off."""
        second_factor.turn_off(user=self.user, **read_body(request, s.SecondFactorOffInput), now=utc_now())
        return no_content()


class TokensView(AccountView, OwnerListView):
    """Tokens for programs."""

    problems = {"POST": (Conflict,)}

    @extend_schema(operation_id="tokens", responses=s.TokenOutput(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002
        """Return the tokens that are valid."""
        return self.page(s.TokenOutput, self.user.owner_tokens.filter(expires_at__gt=utc_now()))

    @extend_schema(
        operation_id="make_token",
        request=s.TokenInput,
        responses={201: s.NewTokenOutput},
        examples=[OpenApiExample("ninety days", {"name": "till", "days": 90}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Create a token: `Authorization: Owner <token>` acts as this account, except on the account itself."""
        row, token = make_owner_token(user=self.user, **read_body(request, s.TokenInput), now=utc_now())
        row.token = token  # type: ignore[attr-defined]
        return self.show(s.NewTokenOutput, row, 201)


class TokenView(AccountView):
    """One token."""

    @extend_schema(operation_id="remove_token", request=None, responses={204: None})
    @without_body
    def delete(self, request: Request, token: str) -> Response:  # noqa: ARG002
        """Revoke a token at once."""
        remove_owner_token(token=selectors.owner_token(self.user, token), now=utc_now())
        return no_content()


def _start_session(request: Request, user: User) -> None:
    login(request._request, user, backend=BACKEND)
    get_token(request._request)  # sets the cookie that unsafe requests of the session must repeat
