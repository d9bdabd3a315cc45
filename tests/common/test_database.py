"""A thread that serves requests does not wait forever for a database that does not respond."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import OperationalError, connection

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


def ask(together: threading.Barrier | None = None) -> int | None:
    """Return the process that answers a request of its own thread; `None` if the connection is broken."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone() or (None,)
        if together:
            together.wait()
    except OperationalError:
        return None
    finally:
        connection.close()
    return pid


@pytest.mark.django_db(transaction=True)
def test_after_one_connection_broke_the_idle_ones_are_replaced(session: PatientConnection) -> None:
    with ThreadPoolExecutor(4) as threads:
        together = threading.Barrier(4)
        former = list(threads.map(ask, [together] * 4))
    for pid in former:
        session.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with ThreadPoolExecutor(1) as thread:
        found = [thread.submit(ask).result() for _ in range(4)]
    assert len(set(former)) == 4
    assert found[0] is None
    assert None not in found[1:]
