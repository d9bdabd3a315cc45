"""The URLs on the door's hot path after a start."""

import subprocess
import sys

import pytest
from django.conf import settings
from django.urls import get_resolver, resolve

from embedded.home import CHECKOUT


@pytest.mark.parametrize("address", sorted(settings.DOORS_URLS))
def test_a_url_of_doors_leads_to_the_same_view_in_both_lists(address: str) -> None:
    assert resolve(address, settings.DOORS_URLCONF).func is resolve(address, settings.ROOT_URLCONF).func


def test_every_url_of_the_list_is_resolved_there() -> None:
    assert {f"/{entry.pattern}" for entry in get_resolver(settings.DOORS_URLCONF).url_patterns} == settings.DOORS_URLS


def test_the_list_loads_no_page_and_no_model_of_risk() -> None:
    code = (
        "import django, sys; django.setup(); import passes.urls_doors;"
        "print({name.partition('.')[0] for name in sys.modules} & {'numba', 'scipy', 'duckdb', 'pyarrow', 'pandas'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
