"""The cost of a stay before it happens."""

from __future__ import annotations

import numpy as np
import pytest

from risk.model.far import InvalidInputError, Rooms, Stays, unit_doses
from risk.model.kinds import Kind
from risk.model.parameters import EVERYBODY, Parameters
from risk.model.pathogens import SARS_COV_2_ANCESTRAL
from risk.model.ratings import posterior
from risk.model.scouting import expected_cost
from risk.model.shield import shield
from risk.model.visits import from_unit_doses
from tests.risk.model.rooms import HOUR_US

PARAMETERS = Parameters(draws=128)


def cost(kinds: list[Kind], parameters: Parameters = PARAMETERS, **changes: object) -> np.ndarray:
    given = {
        "heads": 30.0,
        "stay_h": 1.0,
        "volume_m3": 300.0,
        "removal_rate_per_h": 3.0,
        "masks": posterior(0.3, 0, 0),
        "distancing": posterior(0.3, 0, 0),
        "known_active_per_person": 0.0005,
        "budget": 0.01,
    }
    return expected_cost(parameters, kinds=kinds, **{**given, **changes})  # type: ignore[arg-type]


def test_the_quote_is_what_a_visit_to_such_a_crowd_then_costs() -> None:
    """A bar with people coming and going for hours: the estimate compared with the shield of a visitor."""
    rng = np.random.default_rng(4)
    n = 400
    begin = (rng.uniform(0, 12, n) * HOUR_US).astype(np.int64)
    leave = begin + (rng.gamma(4, 0.5, n) * HOUR_US).astype(np.int64)
    visit = (8 * HOUR_US, 9 * HOUR_US)
    stays = Stays.of(
        venue=np.zeros(n + 1),
        arrive_us=[*begin, visit[0]],
        leave_us=[*leave, visit[1]],
        answer_class=np.zeros(n + 1),
    )
    doses = unit_doses(stays, Rooms(np.array([300.0]), np.array([3.0])))
    inside = doses.person_us[-1, 0] / HOUR_US
    pick = type(doses)(doses.dose_h2_per_m3[-1:], doses.person_us[-1:], doses.heads[-1:])
    went = from_unit_doses(
        pick,
        kinds=[Kind.BAR],
        age_days=0.0,
        known_active_per_person=0.0005,
        masks=posterior(0.3, 0, 0),
        distancing=posterior(0.3, 0, 0),
    )
    assert cost([Kind.BAR], heads=inside)[0] == pytest.approx(shield(went, PARAMETERS).cost[0], rel=0.15)


def test_time_people_and_no_mask_raise_the_cost_while_air_and_ratings_lower_it() -> None:
    base = cost([Kind.BAR])[0]
    assert cost([Kind.BAR], stay_h=2.0)[0] > base
    assert cost([Kind.BAR], heads=60)[0] > base
    assert cost([Kind.BAR], own_mask=1.0)[0] < base < cost([Kind.BAR], own_mask=0.0)[0]
    assert cost([Kind.BAR], removal_rate_per_h=6.0)[0] < base
    assert cost([Kind.BAR], masks=posterior(0.3, 25, 5))[0] < base
    assert cost([Kind.BAR], distancing=posterior(0.3, 25, 5))[0] < base
    assert cost([Kind.BAR], heads=0)[0] == 0.0


def test_a_larger_budget_makes_the_same_stay_cheaper_in_proportion() -> None:
    assert cost([Kind.BAR], budget=0.02)[0] == pytest.approx(cost([Kind.BAR])[0] / 2, rel=1e-12)


def test_usual_visits_cost_what_a_hand_calculation_gives_within_a_factor_of_three() -> None:
    """One percent of people infectious, standard profile, nobody masked: compared with points computed by hand."""
    parameters = Parameters(pathogen=SARS_COV_2_ANCESTRAL, adoption=EVERYBODY)
    for kind, hours, points in (
        (Kind.SUPERMARKET, 1.0, 1.0),
        (Kind.TRANSPORT, 0.5, 6.0),
        (Kind.RESTAURANT, 1.5, 38.0),
        (Kind.OFFICE, 8.0, 35.0),
    ):
        prior = parameters.priors[kind]
        got = cost(
            [kind],
            parameters,
            heads=prior.usual_heads,
            stay_h=hours,
            volume_m3=prior.volume_m3.value,
            removal_rate_per_h=prior.air_changes_per_h.value + SARS_COV_2_ANCESTRAL.decay_and_settling_per_h,
            masks=posterior(0.0, 0, 0),
            known_active_per_person=0.01,
            already_total=True,
        )[0]
        assert points / 3 < got < points * 3, kind


@pytest.mark.parametrize(
    ("field", "value"),
    [("heads", -1), ("heads", np.nan), ("stay_h", np.inf), ("volume_m3", 0), ("removal_rate_per_h", 0)],
)
def test_impossible_scenarios_are_refused_with_the_field_named(field: str, value: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        cost([Kind.BAR], PARAMETERS, **{field: value})
    assert caught.value.field == field
