"""What each model holds of a person, for how long, and what becomes of it.

Every model of ours carries a `privacy` declaration; models of libraries are declared here. A test walks all models;
the nightly purge (`common.purge`) reads the same declarations, so that what is written is what happens.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.apps import apps
from django.db import models

FEWEST_SHOWN: Final = 5
"""Numbers of people below this are not told apart, wherever a page or an answer shows a crowd."""


class Subject(StrEnum):
    """Whose data a model holds."""

    NOBODY = "nobody"
    STAFF = "people who run venues"
    VISIT = "a visit, joined to no person"
    VISITOR = "a visitor, as keyed hashes"
    HOLDER = "what a holder asked to be erased, or may yet ask for: keyed hashes, counts"


class Erasure(StrEnum):
    """What an erasure by the holder does to a row."""

    NOT_CONCERNED = "nothing of a holder in it"
    REMOVED = "the row is removed"
    RECOMPUTED = "recomputed without the erased rows"
    FOLDED = "stays, until its term, in a sum that no row can be taken out of"


class Export(StrEnum):
    """What may leave the deployment."""

    NEVER = "never"
    COUNTS = "only as counts with noise"
    PUBLIC = "public"


@dataclass(frozen=True)
class Retention:
    """Delete a row once `field` lies `after` in the past.

    For a `DateField`, `after` counts from the first instant of that day in the deployment's zone.
    `venue` is the look-up path to the row's venue, whose simulated clock counts where it has one.
    `blank` names a field that is set to NULL at that moment instead of deleting the row.
    """

    field: str
    after: dt.timedelta
    venue: str | None = None
    blank: str | None = None


@dataclass(frozen=True)
class Privacy:
    """The declaration of one model."""

    subject: Subject
    erasure: Erasure = Erasure.NOT_CONCERNED
    export: Export = Export.NEVER
    retention: tuple[Retention, ...] = ()
    ordered_by_acts: bool = False  # of a holder: rows are written as somebody acts, so their order is mixed nightly
    kept: str = ""  # why a model of staff, nobody or a holder is kept without a term

    def __post_init__(self) -> None:
        if self.subject in (Subject.VISIT, Subject.VISITOR) and not self.retention:
            raise ValueError("data of a visit or a visitor needs a retention")
        if not self.retention and not self.kept:
            raise ValueError("say why this is kept without a term")

    @property
    def is_mixed(self) -> bool:
        """Whether neighbours in the table may be one person's, so that `passes.services.mixing` puts them apart."""
        return self.ordered_by_acts or (self.subject is Subject.VISIT and self.erasure is not Erasure.RECOMPUTED)


NOBODY: Final = Privacy(Subject.NOBODY, kept="holds nothing of a person")

# Models that come with libraries.
THIRD_PARTY: Final[dict[str, Privacy]] = {
    "admin.LogEntry": Privacy(Subject.STAFF, retention=(Retention("action_time", dt.timedelta(days=365)),)),
    "auth.Permission": NOBODY,
    "auth.Group": NOBODY,
    "auth.User": Privacy(Subject.STAFF, kept="an account lives until its holder or the operator closes it"),
    "contenttypes.ContentType": NOBODY,
    "sessions.Session": Privacy(Subject.STAFF, retention=(Retention("expire_date", dt.timedelta(0)),)),
}


def declaration(model: type[models.Model]) -> Privacy | None:
    """The privacy declaration of a model, ours or a library's; `None` where there is none."""
    own = getattr(model, "privacy", None)
    return own if isinstance(own, Privacy) else THIRD_PARTY.get(model._meta.label)


def declared_models() -> list[tuple[type[models.Model], Privacy]]:
    """Every concrete model with its declaration; raises `LookupError` for one that has none."""
    found = []
    for model in apps.get_models(include_auto_created=False):
        privacy = declaration(model)
        if privacy is None:
            raise LookupError(f"{model._meta.label} declares no privacy")
        found.append((model, privacy))
    return found
