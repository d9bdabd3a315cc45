"""A thread that serves requests does not wait forever for a database that does not respond."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from common.database import PatientConnection, limit_waits


@pytest.fixture
def hurried() -> Iterator[None]:
    limit_waits(0.2)
    yield
    limit_waits(None)


@pytest.fixture
def session() -> Iterator[PatientConnection]:
    names = {"dbname", "user", "password", "host", "port"}
    given = {name: value for name, value in connection.get_connection_params().items() if name in names}
    with PatientConnection.connect(**given) as made:
        yield made


@pytest.mark.django_db
@pytest.mark.usefixtures("hurried")
def test_a_response_that_does_not_come_closes_the_connection(session: PatientConnection) -> None:
    with pytest.raises(psycopg.OperationalError):
        session.execute("SELECT pg_sleep(1)")
    assert session.closed


@pytest.mark.django_db
@pytest.mark.usefixtures("hurried")
def test_an_error_of_a_statement_leaves_the_connection_open(session: PatientConnection) -> None:
    with pytest.raises(psycopg.OperationalError):
        session.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$")  # disk full
    session.rollback()
    assert session.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.django_db
def test_a_thread_without_a_limit_waits(session: PatientConnection) -> None:
    assert session.execute("SELECT 1 FROM pg_sleep(0.5)").fetchone() == (1,)
