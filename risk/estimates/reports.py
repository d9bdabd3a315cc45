"""Process a reported result: add it to the hours of the visits, and the reporter to the cells of learning."""

import datetime as dt
from collections.abc import Iterable

from risk.crowd.reports import report_test
from risk.estimates.cells import count_reporter


def take_report(
    *, owner_hashes: Iterable[bytes], tested_on: dt.date, positive: bool, prompted: bool, now: dt.datetime
) -> None:
    """Process a result for the visits of these owners. Owners sent together are one reporter.

    A report teaches once: if every owner has reported before, no cell changes.
    """
    owners = set(owner_hashes)
    if report_test(owner_hashes=owners, tested_on=tested_on, positive=positive, now=now):
        count_reporter(owner_hashes=owners, tested_on=tested_on, positive=positive, prompted=prompted, now=now)
