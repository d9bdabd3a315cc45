"""The one draw of a day, and its cost."""

import datetime as dt
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.policy.domain import OUTCOME, RESULT_ANSWERS, TOTAL, ZIP_RISK_RESULT, split
from exports.policy.draw import Drawn, Known, OverBudgetError, Usual, _draw, draw
from exports.policy.noise import discrete_laplace, tail_bound, variance
from tests.exports.policy.factories import DAY, a_day_of, counts_of, empty_counts, tables, without_noise


@pytest.mark.parametrize("readings", [False, True])
def test_the_core_tables_get_at_least_85_percent_of_the_budget(readings: bool) -> None:
    domain = tables(readings=readings)
    parts = split(domain)
    assert math.isclose(sum(parts.values()), 1)
    assert sum(parts[table.name] for table in domain if table.core) >= 0.85


@given(st.floats(0.01, 10))
def test_the_privacy_maps_add_up_to_the_budget_and_never_pass_it(budget: float) -> None:
    domain = tables(zip3=("021",))
    drawn = _draw(day=DAY, counts=empty_counts(domain), tables=domain, budget=budget, mechanism=without_noise)
    mapped = sum(discrete_laplace(np.zeros(1, np.int64), table.scale, table.workload.l1)[1] for table in drawn.tables)
    assert budget * (1 - 1e-6) < mapped <= budget


def test_a_mechanism_that_costs_more_than_the_budget_is_refused() -> None:
    domain = tables()
    with pytest.raises(OverBudgetError):
        _draw(
            day=DAY,
            counts=empty_counts(domain),
            tables=domain,
            budget=1.0,
            mechanism=lambda counts, scale, l1: (counts, 1.001 * l1 / scale),
        )


def test_refusals_are_a_slice_of_their_own_in_every_table() -> None:
    for table in tables():
        assert sum(axis == OUTCOME for axis in table.axes) == 1, table.name


def test_two_draws_of_a_day_differ() -> None:
    counts, domain = a_day_of(1000), tables()
    first, second = (draw(day=DAY, counts=counts, tables=domain, budget=1.0) for _ in range(2))
    assert first.to_bytes() != second.to_bytes()
    assert first.seed() != second.seed()


@pytest.mark.parametrize("budget", [0.0, -1.0, math.nan, math.inf])
def test_a_budget_that_is_not_a_positive_number_is_refused(budget: float) -> None:
    domain = tables()
    with pytest.raises(ValueError, match="budget"):
        draw(day=DAY, counts=empty_counts(domain), tables=domain, budget=budget)


def test_counts_that_do_not_fit_the_domain_are_refused() -> None:
    domain = tables()
    missing = empty_counts(domain)
    del missing[TOTAL]
    negative = empty_counts(domain) | {TOTAL: np.array([0, -1, 0])}
    misshapen = empty_counts(domain) | {ZIP_RISK_RESULT: np.zeros((2, 3, 2), np.int64)}
    for counts in (missing, negative, misshapen):
        with pytest.raises(ValueError, match="do not fit"):
            draw(day=DAY, counts=counts, tables=domain, budget=1.0)


def test_a_draw_survives_storage_and_gives_equal_bytes() -> None:
    domain = tables()
    drawn = draw(day=DAY, counts=a_day_of(500), tables=domain, budget=1.0)
    again = Drawn.from_bytes(drawn.to_bytes())
    assert again.to_bytes() == drawn.to_bytes()
    assert again.seed() == drawn.seed()
    assert again.day == dt.date(2020, 10, 15)
    assert all((again.table(t.workload.name).noisy == t.noisy).all() for t in drawn.tables)


def test_what_was_public_before_the_draw_is_stored_with_it() -> None:
    domain = tables()
    known = Known(DAY - dt.timedelta(days=6), {"021": Usual(3.5, 100.25)}, {"021": "0" * 15 + "2"})
    drawn = draw(day=DAY, counts=a_day_of(500), tables=domain, budget=1.0, known=known)
    again = Drawn.from_bytes(drawn.to_bytes())
    assert (again.first_day, again.usual, again.levels) == (known.first_day, known.usual, known.levels)
    assert (again.days, again.to_bytes()) == (7, drawn.to_bytes())


@pytest.mark.parametrize("scale", [0.7, 5.0, 80.0])
def test_the_noise_has_the_variance_that_is_published(scale: float) -> None:
    noise, _ = discrete_laplace(np.zeros(40_000, np.int64), scale, 3)
    assert abs(noise.mean()) < 6 * math.sqrt(variance(scale) / noise.size)
    # Kurtosis 6: the variance of the sample variance is 5 sigma^4 / n.
    assert abs(noise.var() / variance(scale) - 1) < 6 * math.sqrt(5 / noise.size)


def test_the_tail_bound_is_above_the_tail_and_not_far() -> None:
    weights = np.array([1.0, 0.3, 0.1])
    noise, _ = discrete_laplace(np.zeros((40_000, 3), np.int64), 5.0, 3)
    sums = noise @ weights
    points = np.array([0.0, 10.0, 20.0, 30.0])
    bound = tail_bound(5.0, weights, points)
    tail = (sums[:, None] >= points).mean(axis=0)
    assert (bound >= tail).all()
    # Chernoff loses a factor of about sqrt(2 pi) times the exponent's; more would suppress ZIPs for nothing.
    assert bound[3] < 40 * tail[3]


class TestAudit:
    """A day with one secret's three passes against the same day without them (Ding et al. 2018, counting events)."""

    BUDGET = 1.0
    DRAWS = 1000

    def losses(self, budget: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the log likelihood ratio of each draw, with and without the person: the strongest possible test."""
        # Tables of every kind that share the whole budget; more of them would only take longer.
        kinds = (TOTAL, ZIP_RISK_RESULT, RESULT_ANSWERS, "hour")
        domain = tuple(table for table in tables(zip3=("021",)) if table.name in kinds)
        others = [{"zip": 1}] * 20
        person = [{"zip": 1, "risklevel": 2, "result": 1, "symptoms": 1, "hour": 3}] * 3
        without, with_person = counts_of(domain, others), counts_of(domain, others + person)
        losses = []
        for counts in (with_person, without):
            ratio = np.zeros(self.DRAWS)
            for number in range(self.DRAWS):
                for table in draw(day=DAY, counts=counts, tables=domain, budget=budget).tables:
                    near = np.abs(table.noisy - without[table.workload.name]).sum()
                    far = np.abs(table.noisy - with_person[table.workload.name]).sum()
                    ratio[number] += (near - far) / table.scale
            losses.append(ratio)
        return losses[0], losses[1]

    def test_no_output_is_more_than_e_to_the_epsilon_likelier_with_one_person(self) -> None:
        with_person, without = self.losses(self.BUDGET)
        assert max(np.abs(with_person).max(), np.abs(without).max()) <= self.BUDGET
        # Hoeffding: each share is within `slack` but for a chance of 2e-9 in all.
        slack = math.sqrt(math.log(1e9) / (2 * self.DRAWS))
        for limit in np.linspace(-self.BUDGET, self.BUDGET, 21):
            seen, unseen = (with_person >= limit).mean(), (without >= limit).mean()
            assert seen - slack <= math.exp(self.BUDGET) * (unseen + slack)
            assert (1 - unseen) - slack <= math.exp(self.BUDGET) * ((1 - seen) + slack)

    def test_the_audit_sees_a_mechanism_that_spends_four_times_its_claim(self) -> None:
        with_person, without = self.losses(4 * self.BUDGET)
        slack = math.sqrt(math.log(1e9) / (2 * self.DRAWS))
        violated = [
            (with_person >= limit).mean() - slack > math.exp(self.BUDGET) * ((without >= limit).mean() + slack)
            for limit in np.linspace(-4, 4, 33)
        ]
        assert any(violated)
