"""`manage.py query` prints every row, or says what is missing."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.exports.ledger import ReleasedLake

pytestmark = pytest.mark.django_db
SQL = 'SELECT scandate, result FROM "covid-19".aspirevc_crowd_tracing'


def printed(*arguments: str) -> tuple[list[str], str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("query", *arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue()


def test_all_rows_are_printed_beyond_what_the_api_answers(released: ReleasedLake, settings: Any) -> None:
    settings.QUERY_LIMITS = {"max_rows": 5}
    [_, count], _ = printed('SELECT count(*) AS n FROM "covid-19".aspirevc_crowd_tracing', "--format", "csv")
    lines, said = printed(SQL, "--format", "csv")
    assert (len(lines), said) == (int(count) + 1, "")
    assert int(count) > 1000


@pytest.mark.parametrize("form", ["csv", "table"])
def test_further_rows_are_announced_on_standard_error_and_in_the_last_line(
    released: ReleasedLake, settings: Any, form: str
) -> None:
    settings.QUERY_WHOLE_LIMITS = {"max_rows": 5}
    lines, said = printed(SQL, "--format", form)
    assert said.startswith("5 rows are here and more follow: go on with the cursor ")
    assert lines[-1].strip('"') == f"# {said.strip()}"
    cursor = said.split()[-1]
    assert len(printed(SQL, "--format", form, "--cursor", cursor)[0]) == len(lines)
    answer = json.loads(printed(SQL, "--format", "json")[0][0])
    assert (answer["truncated"], answer["next"]) == (True, cursor)


def test_a_cursor_of_another_query_is_refused(released: ReleasedLake) -> None:
    with pytest.raises(CommandError, match="no cursor"):
        printed(SQL, "--cursor", "x")
