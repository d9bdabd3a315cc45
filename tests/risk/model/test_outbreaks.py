"""Published outbreaks: the document says what the model gives, and the model is not far off."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from risk.model.outbreaks import outbreak, predict

ROOT = Path(__file__).parents[3]


def plots() -> ModuleType:
    """The script that writes the document's table (docs is no package)."""
    spec = importlib.util.spec_from_file_location("docs_plots_model", ROOT / "docs" / "plots" / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SCRIPT = plots()


def test_the_table_in_the_document_is_what_the_model_gives() -> None:
    text = SCRIPT.DOCUMENT.read_text()
    assert SCRIPT.with_table(text) == text, "run: python -m docs.plots.model"


def test_every_plot_of_the_document_is_there() -> None:
    text = SCRIPT.DOCUMENT.read_text()
    names = {path.name for path in SCRIPT.HERE.glob("*.svg")} & {
        "room.svg",
        "response.svg",
        "class_form.svg",
        "outbreaks.svg",
    }
    assert len(names) == 4
    for name in names:
        assert f"plots/{name}" in text


def test_there_are_nine_outbreaks_with_sources_and_the_circular_ones_are_marked() -> None:
    rows = SCRIPT.table_data()["outbreaks"]
    assert len(rows) == 9
    assert {row["name"].split()[0] for row in rows if row["circular"]} == {"Skagit", "Airliner", "Elementary"}
    for row in rows:
        assert row["source"]
        assert row["seen"]
        low, high = row["infected"]
        assert 2 <= low <= high <= row["exposed"]


def test_most_outbreaks_lie_in_their_interval_and_those_outside_lie_above_it() -> None:
    """Nothing is fitted to them. What the model misses are the largest ones, which fame selects."""
    outside = [prediction for _, prediction in SCRIPT.predictions() if not prediction.inside]
    assert len(outside) <= 3
    assert all(prediction.observed_low > prediction.high for prediction in outside)


def test_rows_without_selection_are_within_a_factor_of_three_of_the_mean() -> None:
    rows = SCRIPT.selection_free()
    assert len(rows) == 3
    for row, mean in rows:
        assert 1 / 3 < mean / row["observed_per_h"] < 3, row["name"]


def test_a_prediction_repeats_with_the_same_generator_and_orders_its_interval() -> None:
    case = outbreak(SCRIPT.table_data()["outbreaks"][0])
    first, second = (predict(case, np.random.default_rng(1), draws=5000) for _ in range(2))
    assert first == second
    assert 0 < first.low <= first.median <= first.high <= 1
    assert 0 <= first.percentile <= 100


def test_conditioning_on_publication_raises_the_prediction() -> None:
    case = outbreak(SCRIPT.table_data()["outbreaks"][2])
    prediction = predict(case, np.random.default_rng(1), draws=20000)
    assert prediction.low * case.exposed >= 2 - 1e-9
    assert prediction.median > prediction.mean_rate
    assert prediction.chance_published < 0.5


def test_the_implied_load_reproduces_the_observed_rate() -> None:
    case = outbreak(SCRIPT.table_data()["outbreaks"][3])
    prediction = predict(case, np.random.default_rng(1), draws=2000)
    mean_dose = -np.log1p(-prediction.mean_rate / case.susceptible.value)
    again = case.susceptible.value * -np.expm1(-prediction.implied_load * mean_dose)
    assert again == pytest.approx(prediction.observed_low, rel=1e-6)
