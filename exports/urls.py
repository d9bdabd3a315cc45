"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from exports.api import erasures, recipients

_OPERATOR = "api/v1/owner/operator/recipients"

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/erasures", erasures.ErasuresView.as_view(), name="erasures"),
    path("api/v1/erasures/<str:erasure>", erasures.ErasureView.as_view(), name="erasure"),
    path("api/v1/verified", recipients.VerifiedDaysView.as_view(), name="verified-days"),
    path("api/v1/verified/<str:day>/<int:number>", recipients.VerifiedFileView.as_view(), name="verified-file"),
    path(_OPERATOR, recipients.RecipientsView.as_view(), name="recipients"),
    path(f"{_OPERATOR}/<str:recipient>", recipients.RecipientView.as_view(), name="recipient"),
    path(
        f"{_OPERATOR}/<str:recipient>/credentials", recipients.CredentialsView.as_view(), name="recipient-credentials"
    ),
]
