"""Serializers of requests and responses."""

from typing import Any, Final

from rest_framework import serializers

from common.web.serializers import Choice, Day, QuerySerializer, StrictSerializer, Text, UtcTime
from exports.dataset.tables import Zone
from exports.engine.limits import MAX_CHARACTERS

DIALECTS: Final = ("athena", "duckdb")
FORMATS: Final = ("json", "csv", "parquet", "arrow")


# Queries --------------------------------------------------------------------------------------------------------------
class _Query(serializers.Serializer[Any]):
    sql = Text(
        max_length=MAX_CHARACTERS,
        trim_whitespace=False,
        help_text="one statement that only reads, SELECT or WITH, on the dataset's tables",
    )
    dialect = Choice(DIALECTS, required=False, default="athena", help_text="syntax of the text")
    format = Choice(FORMATS, required=False, default="json")
    as_of = Day(required=False, help_text="read the tables as of the release of this day; default: the newest")
    cursor = Text(
        required=False,
        max_length=400,
        help_text="`next` of a truncated response: continue the same text and dialect after it, on the same release",
    )


class QueryInput(_Query, StrictSerializer):
    """One query."""


class QueryParameters(_Query, QuerySerializer):
    """The same as query parameters, for a URL that can be cited."""


class ResultColumn(serializers.Serializer[Any]):
    """One column of a response."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="as Athena names it")


class QueryOutput(serializers.Serializer[Any]):
    """The response to a query."""

    columns = ResultColumn(many=True)
    rows = serializers.ListField(
        child=serializers.ListField(child=serializers.JSONField(allow_null=True)),
        help_text="dates and times as ISO 8601, numbers that JSON cannot represent as null",
    )
    truncated = serializers.BooleanField(help_text="whether there were more rows than a response may have")
    next = serializers.CharField(
        allow_null=True,
        help_text="cursor of the next rows; null at the end, and for queries whose rows differ in each run",
    )
    as_of = serializers.DateField(allow_null=True, help_text="newest day in the tables; null before the first release")
    elapsed_ms = serializers.IntegerField(min_value=0)


# Datasets -------------------------------------------------------------------------------------------------------------
class AsOfParameters(QuerySerializer):
    """Query parameters of resources that depend on a release."""

    as_of = Day(required=False, help_text="the newest release of this day or before; default: the newest")


class DatasetName(serializers.Serializer[Any]):
    """One dataset of the list."""

    name = serializers.CharField(help_text="also the database's name in SQL")
    title = serializers.CharField()
    description = serializers.CharField()
    tables = serializers.ListField(child=serializers.CharField())
    as_of = serializers.DateField(allow_null=True, help_text="newest day in the tables")
    url = serializers.CharField()


class DatasetsOutput(serializers.Serializer[Any]):
    """All datasets of the deployment."""

    results = DatasetName(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ColumnOutput(serializers.Serializer[Any]):
    """One column of the dictionary."""

    name = serializers.CharField()
    type = serializers.CharField(help_text="as Athena names it")
    meaning = serializers.CharField()
    unit = serializers.CharField()
    required = serializers.BooleanField(help_text="whether it is never null")  # type: ignore[assignment]
    values = serializers.ListField(child=serializers.CharField(), help_text="all allowed values of a text; empty: any")
    minimum = serializers.FloatField(allow_null=True)
    maximum = serializers.FloatField(allow_null=True)
    sensitivity = serializers.CharField(help_text="what a value could reveal about a person")


class TableOutput(serializers.Serializer[Any]):
    """One table with its dictionary."""

    name = serializers.CharField()
    zone = serializers.ChoiceField([zone.value for zone in Zone], help_text="says who may read it")
    owner = serializers.CharField()
    title = serializers.CharField()
    meaning = serializers.CharField()
    partition = serializers.CharField(allow_blank=True)
    columns = ColumnOutput(many=True)


class ZoneOutput(serializers.Serializer[Any]):
    """One zone of the data: its contents and who may read it."""

    zone = serializers.ChoiceField([zone.value for zone in Zone])
    meaning = serializers.CharField()
    sensitivity = serializers.CharField()
    readers = serializers.CharField()
    kept = serializers.CharField()
    owner = serializers.CharField()


class GuaranteeOutput(serializers.Serializer[Any]):
    """The bound on what the rows can reveal about anyone."""

    definition = serializers.CharField()
    unit = serializers.CharField()
    epsilon_per_day = serializers.FloatField()
    passes_counted_per_unit = serializers.IntegerField()
    composition = serializers.CharField()
    days = serializers.IntegerField(help_text="days released so far")
    epsilon_of_all_days = serializers.FloatField(help_text="for a secret that was used on every day")
    sentence = serializers.CharField()


class LicenceOutput(serializers.Serializer[Any]):
    """The terms of the data."""

    name = serializers.CharField()
    title = serializers.CharField()
    url = serializers.CharField()
    text = serializers.CharField(help_text="Markdown")
    takes_in = serializers.DictField(child=serializers.CharField())


class CitationOutput(serializers.Serializer[Any]):
    """How to cite the newest release."""

    text = serializers.CharField()
    bibtex = serializers.CharField()


class CoverageOutput(serializers.Serializer[Any]):
    """The people and days that the dataset covers."""

    text = serializers.CharField()
    first_day = serializers.DateField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)
    days = serializers.IntegerField()
    missing_days = serializers.ListField(
        child=serializers.DateField(),
        help_text="days between first and last that were not released (400 at most, and not those of a gap of over 90)",
    )
    rows = serializers.IntegerField()
    rows_without_zip = serializers.IntegerField()
    rows_of_unknown_zip = serializers.IntegerField()


class KnownProblemOutput(serializers.Serializer[Any]):
    """A known error, or something easily misread."""

    code = serializers.CharField()
    text = serializers.CharField()


class FileOutput(serializers.Serializer[Any]):
    """One file to download."""

    name = serializers.CharField()
    table = serializers.CharField()
    url = serializers.CharField()
    media_type = serializers.CharField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()


class DatasetOutput(serializers.Serializer[Any]):
    """The full description of a dataset."""

    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    as_of = serializers.DateField(allow_null=True)
    guarantee = GuaranteeOutput()
    tables = TableOutput(many=True)
    zones = ZoneOutput(many=True)
    licence = LicenceOutput()
    citation = CitationOutput(allow_null=True, help_text="null before the first release")
    coverage = CoverageOutput()
    known_problems = KnownProblemOutput(many=True)
    files = FileOutput(
        many=True, help_text="of the newest release, and the whole tables, one file each; other releases list theirs"
    )
    links = serializers.DictField(child=serializers.CharField())


class ReleaseOutput(serializers.Serializer[Any]):
    """One release: one closed day."""

    day = serializers.DateField()
    as_of = serializers.DateField(help_text="the same day: `as_of` of queries goes back to this release")
    announced_at = UtcTime()
    epsilon = serializers.FloatField()
    rows = serializers.IntegerField()
    manifest = serializers.DictField(help_text="parameters of the guarantee, split of the budget, versions")
    files = FileOutput(many=True)
    profile = serializers.CharField(help_text="address of its statistics")
    url = serializers.CharField()


class StatisticOutput(serializers.Serializer[Any]):
    """One figure of a profile."""

    column = serializers.CharField(allow_blank=True, help_text="empty: of the whole day; two for a correlation")
    statistic = serializers.CharField()
    value = serializers.FloatField(allow_null=True)


class DriftOutput(serializers.Serializer[Any]):
    """How far distributions moved since an earlier day, beyond what noise and sampling explain."""

    against = serializers.DateField(allow_null=True, help_text="the day it is compared with")
    total_variation = serializers.DictField(
        child=serializers.FloatField(), help_text="0: the same, 1: nothing in common; empty for small days"
    )


class ProfileOutput(serializers.Serializer[Any]):
    """Statistics of a released day, made from its drawn counts."""

    day = serializers.DateField()
    statistics = StatisticOutput(many=True)
    drift = DriftOutput()


class ReleasesOutput(serializers.Serializer[Any]):
    """A page of releases, newest day first."""

    results = ReleaseOutput(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
