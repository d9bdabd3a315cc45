"""Personal data in each model: whose it is, how long it is kept, and what happens to it.

Every model of ours has a `privacy` declaration; models of libraries are declared here. A test checks all models, and
the nightly purge (`common.purge`) reads the same declarations, so that the declaration is what happens.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.apps import apps
from django.db import models

FEWEST_SHOWN: Final = 5
"""Numbers of people below this are not distinguished on any page or in any response that shows a crowd."""


class Subject(StrEnum):
    """The person or group whose data a model holds."""

    NOBODY = "nobody"
    STAFF = "people who run venues"
    VISIT = "a visit, linked to no person"
    VISITOR = "a visitor, as keyed hashes"
    HOLDER = "data that a holder erased or may still erase: keyed hashes, counts"


class Erasure(StrEnum):
    """The effect of a holder's erasure on a row."""

    NOT_CONCERNED = "contains no data of a holder"
    REMOVED = "the row is removed"
    RECOMPUTED = "recomputed without the erased rows"
    FOLDED = "stays in a sum, from which no row can be removed, until its retention ends"


class Export(StrEnum):
    """The form in which rows may leave the deployment."""

    NEVER = "never"
    COUNTS = "only as counts with noise"
    PUBLIC = "public"


@dataclass(frozen=True)
class Retention:
    """Delete a row when `field` is `after` in the past.

    For a `DateField`, `after` counts from the start of that day in the deployment's time zone. `venue` is the look-up
    path to the row's venue, whose simulated clock is used if it has one. `blank` names a field that is set to NULL at
    that time instead of deleting the row.
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
    ordered_by_acts: bool = False  # rows are written as visitors act, so their order is mixed nightly
    kept: str = ""  # why a model of staff, nobody or a holder has no retention

    def __post_init__(self) -> None:
        if self.subject in (Subject.VISIT, Subject.VISITOR) and not self.retention:
            raise ValueError("data of a visit or a visitor requires a retention")
        if not self.retention and not self.kept:
            raise ValueError("a model without retention requires a reason in `kept`")

    @property
    def is_mixed(self) -> bool:
        """Return whether adjacent rows may belong to one person, so that `passes.services.mixing` separates them."""
        return self.ordered_by_acts or (self.subject is Subject.VISIT and self.erasure is not Erasure.RECOMPUTED)


NOBODY: Final = Privacy(Subject.NOBODY, kept="contains no personal data")

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
    """Return the privacy declaration of a model of ours or of a library; `None` if there is none."""
    own = getattr(model, "privacy", None)
    return own if isinstance(own, Privacy) else THIRD_PARTY.get(model._meta.label)


def declared_models() -> list[tuple[type[models.Model], Privacy]]:
    """Return every concrete model with its declaration. Raise `LookupError` for a model without one."""
    found = []
    for model in apps.get_models(include_auto_created=False):
        privacy = declaration(model)
        if privacy is None:
            raise LookupError(f"{model._meta.label} declares no privacy")
        found.append((model, privacy))
    return found
