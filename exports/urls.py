"""URLs of this app."""

import datetime as dt

from django.urls import URLPattern, URLResolver, path, register_converter

from exports.api import datasets, erasures, iceberg, queries, radar, recipients, signals
from exports.athena import views as athena_views


class DayConverter:
    """Convert a calendar day in a URL."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> dt.date:
        """Return the day; a `ValueError` means that no URL matches."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        """Return the day as text."""
        return value.isoformat()


register_converter(DayConverter, "day")
_DATASET = "api/v1/datasets/<str:name>"
_ICEBERG = f"{_DATASET}/iceberg"
_OPERATOR = "api/v1/owner/operator/recipients"

urlpatterns: list[URLPattern | URLResolver] = [
    path("athena", athena_views.athena, name="athena"),
    path("athena/results/<str:signed>.csv", athena_views.result, name="athena-result"),
    path("api/v1/queries", queries.QueriesView.as_view(), name="queries"),
    path("api/v1/datasets", datasets.DatasetsView.as_view(), name="datasets"),
    path(_DATASET, datasets.DatasetDetailView.as_view(), name="dataset"),
    path(f"{_DATASET}/releases", datasets.ReleasesView.as_view(), name="releases"),
    path(f"{_DATASET}/releases/<day:day>", datasets.ReleaseView.as_view(), name="release"),
    path(f"{_DATASET}/releases/<day:day>/profile", datasets.ProfileView.as_view(), name="release-profile"),
    path(f"{_DATASET}/releases/<day:day>/files/<str:file>", datasets.FileView.as_view(), name="release-file"),
    path(f"{_DATASET}/datapackage.json", datasets.DataPackageView.as_view(), name="datapackage"),
    path(f"{_DATASET}/croissant.json", datasets.CroissantView.as_view(), name="croissant"),
    path(f"{_DATASET}/signals", signals.SignalsView.as_view(), name="signals"),
    path(f"{_DATASET}/daily.csv", datasets.DailyView.as_view(), name="daily-counts"),
    path(f"{_DATASET}/feed.atom", datasets.FeedView.as_view(), name="release-feed"),
    path(f"{_DATASET}/licence", datasets.LicenceView.as_view(), name="dataset-licence"),
    path(f"{_ICEBERG}/<str:table>/metadata/<str:file>", iceberg.metadata, name="iceberg-metadata"),
    path(f"{_ICEBERG}/<str:table>/data/<day:day>/<str:file>", iceberg.data, name="iceberg-data"),
    path(_ICEBERG, iceberg.index, name="iceberg"),
    path(f"{_ICEBERG}/v1/config", iceberg.config, name="iceberg-config"),
    path(f"{_ICEBERG}/v1/namespaces", iceberg.namespaces, name="iceberg-namespaces"),
    path(f"{_ICEBERG}/v1/namespaces/<str:space>", iceberg.namespace, name="iceberg-namespace"),
    path(f"{_ICEBERG}/v1/namespaces/<str:space>/tables", iceberg.listed, name="iceberg-tables"),
    path(f"{_ICEBERG}/v1/namespaces/<str:space>/tables/<str:table>", iceberg.loaded, name="iceberg-table"),
    path(f"{iceberg.BUCKET}/<str:table>/metadata/<str:file>", iceberg.bucket_metadata, name="bucket-metadata"),
    path(f"{iceberg.BUCKET}/<str:table>/data/<day:day>/<str:file>", iceberg.bucket_data, name="bucket-data"),
    path("api/v1/radar", radar.RadarView.as_view(), name="radar"),
    path("api/v1/radar/feed.atom", radar.RadarFeedView.as_view(), name="radar-feed"),
    path("api/v1/erasures", erasures.ErasuresView.as_view(), name="erasures"),
    path("api/v1/erasures/<str:erasure>", erasures.ErasureView.as_view(), name="erasure"),
    path("api/v1/verified", recipients.VerifiedDaysView.as_view(), name="verified-days"),
    path("api/v1/verified/<day:day>/<int:number>", recipients.VerifiedFileView.as_view(), name="verified-file"),
    path(_OPERATOR, recipients.RecipientsView.as_view(), name="recipients"),
    path(f"{_OPERATOR}/<str:recipient>", recipients.RecipientView.as_view(), name="recipient"),
    path(f"{_OPERATOR}/<str:recipient>/credentials", recipients.CredentialsView.as_view(), name="credentials"),
]
