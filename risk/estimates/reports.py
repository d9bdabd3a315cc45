"""What a reported result does: it is added to the hours of the visits, and one reporter to the cells of learning."""

import datetime as dt
from collections.abc import Iterable

from risk.crowd.reports import report_test
from risk.estimates.cells import count_reporter


def take_report(
    *, owner_hashes: Iterable[bytes], tested_on: dt.date, positive: bool, prompted: bool, now: dt.datetime
) -> None:
    """Take a result for the visits of these owners: who sends them together is one reporter.

    It teaches once: where none of the owners counts for the first time, no cell is touched.
    """
    owners = set(owner_hashes)
    if report_test(owner_hashes=owners, tested_on=tested_on, positive=positive, now=now):
        count_reporter(owner_hashes=owners, tested_on=tested_on, positive=positive, prompted=prompted, now=now)
