"""Releases and descriptions of the dataset as plain values, with their URLs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from common.web.problems import NotFound
from exports import conf
from exports.dataset import publication
from exports.dataset.descriptors import DataFile, Publication, dictionary
from exports.dataset.tables import DAILY, OPEN_TABLES, TABLES, ZONES, Table, table
from exports.dataset.whole import whole_files
from exports.lake.deployment import storage
from exports.lake.whole import held_files
from exports.models import Release
from exports.policy.guarantee import guarantee
from exports.selectors import Coverage, TablesAt, coverage_of
from venues.links import origin

CSV = "text/csv"


@dataclass(frozen=True)
class Dataset:
    """The one dataset of a deployment, with its base URL."""

    base: str

    @classmethod
    def of(cls, request: HttpRequest, name: str) -> "Dataset":
        """Return the dataset of that name; raise `NotFound` for any other."""
        if name != conf.database():
            raise NotFound
        return cls(f"{origin(request)}/api/v1/datasets/{name}")

    def entry(self, at: TablesAt) -> dict[str, Any]:
        """Return the dataset as an entry of a list."""
        return {
            "name": conf.database(),
            "title": publication.title(),
            "description": publication.description(),
            "tables": [described.name for described in OPEN_TABLES],
            "as_of": at.as_of,
            "url": self.base,
        }

    def whole(self, at: TablesAt) -> dict[str, Any]:
        """Return the full description of the dataset."""
        covered = coverage_of(at)
        return self.entry(at) | {
            "guarantee": _guarantee(at, covered),
            "tables": [_table(described) for described in TABLES],
            "zones": [vars(zone) for zone in ZONES],
            "licence": {
                "name": publication.LICENCE_NAME,
                "title": publication.LICENCE_TITLE,
                "url": f"{self.base}/licence",
                "text": publication.licence_text(),
                "takes_in": publication.TAKEN_IN,
            },
            "citation": self._citation(at),
            "coverage": {"text": publication.coverage(), **vars(covered)},
            "known_problems": publication.known_problems(at.release.manifest if at.release else {}),
            "files": [*self.files(at.release), *self.whole_files(at.release)] if at.release else [],
            "links": {
                "releases": f"{self.base}/releases",
                "datapackage": f"{self.base}/datapackage.json",
                "croissant": f"{self.base}/croissant.json",
                "iceberg": f"{self.base}/iceberg",
                "signals": f"{self.base}/signals",
                "daily": f"{self.base}/daily.csv",
                "feed": f"{self.base}/feed.atom",
                "queries": self.base.partition("/datasets/")[0] + "/queries",
            },
        }

    def _citation(self, at: TablesAt) -> dict[str, str] | None:
        if at.release is None or at.release.announced_at is None:
            return None
        version, year = at.release.day.isoformat(), at.release.announced_at.year
        return {
            "text": publication.citation(base=self.base, version=version, year=year),
            "bibtex": publication.bibtex(base=self.base, version=version, year=year),
        }

    def release(self, release: Release) -> dict[str, Any]:
        """Return one release."""
        return {
            "day": release.day,
            "as_of": release.day,
            "announced_at": release.announced_at,
            "epsilon": release.epsilon,
            "rows": release.manifest["rows"],
            "manifest": {name: value for name, value in release.manifest.items() if name != "files"},
            "files": self.files(release),
            "profile": f"{self._of(release.day)}/profile",
            "url": self._of(release.day),
        }

    def files(self, release: Release) -> list[dict[str, Any]]:
        """Return the files of a release."""
        return [self._file(release, file) for file in release.manifest.get("files", [])]

    def whole_files(self, release: Release) -> list[dict[str, Any]]:
        """Return the whole tables as of that release, one file each; empty until they are written after it."""
        try:
            held = held_files(storage(), release.number or 0)
        except OSError:
            return []
        return [self._file(release, file) for file in held]

    def _file(self, release: Release, file: Mapping[str, Any]) -> dict[str, Any]:
        """Return one file with its URL."""
        url = f"{self._of(release.day)}/files/{file['name']}"
        return {name: value for name, value in file.items() if name != "path"} | {"url": url}

    def data_files(self, release: Release, daily_bytes: int, digest: str) -> list[DataFile]:
        """Return the files for descriptors: the whole tables, and daily counts as CSV with their size and SHA-256.

        If the whole tables cannot be written, return the files of the release instead.
        """
        csv = f"{self.base}/daily.csv?as_of={release.day.isoformat()}"
        try:
            wholes = [self._file(release, file) for file in whole_files(release)]
        except OSError:
            wholes = self.files(release)
        return [
            *(
                DataFile(table(file["table"]), file["url"], file["media_type"], file["bytes"], file["sha256"])
                for file in wholes
            ),
            DataFile(DAILY, csv, CSV, daily_bytes, digest),
        ]

    def publication(self, release: Release) -> Publication:
        """Return names, licence and citation for descriptors of a release."""
        return publication.publication(base=self.base, as_of=release.day, announced=release.announced_at)

    def _of(self, day: dt.date) -> str:
        return f"{self.base}/releases/{day.isoformat()}"


def _table(described: Table) -> dict[str, Any]:
    return {
        "name": described.name,
        "zone": described.zone.value,
        "owner": described.owner,
        "title": described.title,
        "meaning": described.meaning,
        "partition": described.partition,
        "columns": dictionary(described),
    }


def _guarantee(at: TablesAt, covered: Coverage) -> dict[str, Any]:
    """Return the guarantee of the newest release, and the total cost of all days."""
    planned: dict[str, Any] = dict(guarantee(epsilon=conf.budget(), budget=conf.budget()))
    stated = at.release.manifest["guarantee"] if at.release else planned
    return {
        "definition": stated["definition"],
        "unit": stated["unit"],
        "epsilon_per_day": stated["epsilon"],
        "passes_counted_per_unit": stated["passes_counted_per_unit"],
        "composition": stated["composition"],
        "days": covered.days,
        "epsilon_of_all_days": covered.epsilon,
        "sentence": publication.guarantee_sentence(stated["epsilon"]),
    }
