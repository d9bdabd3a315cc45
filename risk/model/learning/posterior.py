"""Learn from cells: a posterior of a few factors on top of the model's constants.

For a person with expected hits ``h_k`` in visits by kind and ``h_0`` elsewhere, in the fortnight before a report,

    x = background*h_0 + scale * sum over kinds of f_k*h_k,        chance of infection 1 - exp(-x)

A true report of a volunteer is positive with odds ``o = reporting * (dose/typical)^rise * (exp(x) - 1)``: people with a
positive result report more readily than others, and the more (or less) so the more hits their shield showed (``dose``
is the sum of ``h_k`` as they saw it). For people whom a random prompt asked, ``o = exp(x) - 1``. In each stream, some
people report a positive result regardless of what happened; with ``l`` the odds of that, a report is positive with odds
``o + l*(1 + o)``.

A cell counts as a binomial draw at the mean chance of its reporters. It is represented by two halves, whose total hits
have the mean and the spread of the cell's (the two points of Gauss-Hermite quadrature), because the chance of a
volunteer is nonlinear within a band. Every factor has a lognormal prior, ``rise`` a normal one. Newton steps (Fisher
scoring, so that the information is never indefinite), halved until they improve, find the mode; draws come from a t
distribution around it, weighted to the exact posterior.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, cholesky, solve_triangular

from risk.model.far import InvalidInputError
from risk.model.learning.cells import Cells, Floats
from risk.model.uncertainty import HIGH, LOW
from risk.model.visits import KINDS

FORM: Final = 2
"""Raised when the likelihood changes, so that a version never means two different likelihoods."""
WIDEST: Final = 0.9
"""Spread of hits within a cell, relative to their mean, beyond which one of its halves would have none."""
LEAST_DOSE: Final = 1e-4
"""Smallest dose, because no shield shows less."""
DRAWS: Final = 1500
DEGREES: Final = 6.0
ROUNDS: Final = 6
"""Largest number of rounds of draws."""
ENOUGH_EFFECTIVE: Final = 0.5
"""Effective draws, as a share of a round, after which no further round is needed."""
LEAST_EFFECTIVE: Final = 0.1
"""Smallest share of effective draws; with fewer, the t distribution does not match the posterior."""
HALF_LIFE_PERIODS: Final = 13.0
"""Age at which a cell counts half: a year; our choice, about the lifetime of a variant."""
STEPS, HALVINGS = 100, 30
CLOSE: Final = 1e-4

SCALE, BACKGROUND, REPORTING, RISE, LIARS, PROMPTED_LIARS = range(6)
KIND: Final = 6
"""Index of the first kind's factor; the others follow in the order of `KINDS`."""
NAMES: Final = ("scale", "background", "reporting", "rise", "liars", "prompted_liars", *(kind.value for kind in KINDS))


@dataclass(frozen=True, slots=True)
class Belief:
    """A normal distribution, of the logarithm of every parameter except ``rise``."""

    mean: float
    sd: float


def within(factor: float, around: float = 1.0) -> Belief:
    """Return a lognormal belief whose 5 % and 95 % points are a factor below and above its median."""
    return Belief(float(np.log(around)), float(np.log(factor)) / 1.6448536269514722)


@dataclass(frozen=True, slots=True)
class Prior:
    """Beliefs before any report: our assumptions.

    ``scale``: hits relative to the model. ``background``: infections outside visits relative to what is assumed.
    ``reporting``: odds that a volunteer reports if positive, relative to if not. ``rise``: its power of the dose.
    ``liars``, ``prompted_liars``: odds of reporting positive regardless of what happened. ``kinds``: one venue kind
    relative to the others.
    """

    scale: Belief = field(default_factory=lambda: within(3.0))
    background: Belief = Belief(0.0, 0.5)
    reporting: Belief = field(default_factory=lambda: within(2.0, 3.0))
    rise: Belief = Belief(0.0, 0.3)
    liars: Belief = field(default_factory=lambda: within(4.0, 0.01))
    prompted_liars: Belief = field(default_factory=lambda: within(4.0, 0.01))
    kinds: Belief = Belief(0.0, 0.4)

    def __post_init__(self) -> None:
        beliefs = [getattr(self, one.name) for one in fields(self)]
        if not all(np.isfinite(belief.mean) and 0.0 < belief.sd < 10.0 for belief in beliefs):
            raise InvalidInputError("prior", "must be finite, with a width")

    @property
    def mean(self) -> Floats:
        """Return the means of all parameters, in the order of `NAMES`."""
        return self._all("mean")

    @property
    def sd(self) -> Floats:
        """Return the standard deviations of all parameters, in the order of `NAMES`."""
        return self._all("sd")

    def _all(self, what: str) -> Floats:
        first = [getattr(getattr(self, name), what) for name in NAMES[:KIND]]
        return np.array([*first, *[getattr(self.kinds, what)] * len(KINDS)])


class DivergedError(ArithmeticError):
    """No mode was found, or the numbers are not finite; the earlier estimate stays."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A posterior as weighted draws.

    ``draws`` (draws, parameters in the order of `NAMES`): logarithms except for ``rise``. ``weights`` (draws,): sum to
    1. ``effective``: share of the draws that the weights leave, 1 / (draws * sum of squares). ``typical_dose``: log of
    the dose to which ``reporting`` refers; `None` if no volunteer reported, in which case that of the predicted cells
    is used. ``version``: a hash of cells, prior, form and seed; the same version is the same estimate.
    """

    draws: Floats
    weights: Floats
    effective: float
    typical_dose: float | None
    version: str

    @property
    def mean(self) -> Floats:
        """Return posterior means, (parameters,)."""
        return np.asarray(self.weights @ self.draws)

    @property
    def covariance(self) -> Floats:
        """Return the posterior covariance, (parameters, parameters)."""
        apart = self.draws - self.mean
        return np.asarray((apart * self.weights[:, None]).T @ apart)

    @property
    def sd(self) -> Floats:
        """Return posterior standard deviations, (parameters,)."""
        return np.sqrt(np.diag(self.covariance))

    def quantile(self, share: float) -> Floats:
        """Return quantiles of every parameter, (parameters,)."""
        order = np.argsort(self.draws, axis=0, kind="stable")
        reached = np.cumsum(self.weights[order], axis=0)
        at = np.minimum((reached < share).sum(axis=0), len(self.draws) - 1)
        return np.asarray(np.take_along_axis(self.draws, np.take_along_axis(order, at[None], 0), 0)[0])

    @property
    def low(self) -> Floats:
        """Return the 5 % points, (parameters,)."""
        return self.quantile(LOW)

    @property
    def high(self) -> Floats:
        """Return the 95 % points, (parameters,)."""
        return self.quantile(HIGH)

    def rank(self, truth: Floats) -> Floats:
        """Return the posterior probability of values below a truth, (parameters,): uniform if the model is right."""
        return np.asarray(self.weights @ (self.draws < truth))


def age_weights(cells: Cells, period: int) -> Floats:
    """Return the weight of each cell in a given period: half after `HALF_LIFE_PERIODS`, and 0 for later periods."""
    age = period - cells.period
    return np.asarray(np.where(age >= 0, 0.5 ** (np.maximum(age, 0) / HALF_LIFE_PERIODS), 0.0))


def halves(cells: Cells) -> Floats:
    """Return hits of the two halves of each cell's reporters relative to their mean, (2, n)."""
    spread = np.minimum(cells.spread, WIDEST)
    return np.stack([1.0 - spread, 1.0 + spread])


def log_dose(cells: Cells) -> Floats:
    """Return the log of the hits shown to the reporters of each half of each cell, (2, n)."""
    return np.asarray(np.log(np.maximum(cells.mean_hits.sum(axis=1) * halves(cells), LEAST_DOSE)))


def typical_dose(cells: Cells, weights: Floats) -> float | None:
    """Return the mean log dose of the volunteers, at which ``reporting`` has its prior; `None` without volunteers."""
    heads = cells.reporters * weights * (cells.prompted == 0)
    return float(heads @ log_dose(cells).mean(axis=0) / heads.sum()) if heads.sum() > 0.0 else None


@dataclass(frozen=True, eq=False)
class _Problem:
    """Inputs of the likelihood, computed from cells once for each fit.

    Each is (n,), except ``hits`` (n, kinds) and, by half of the reporters, ``halves`` and ``log_dose`` (2, n).
    """

    hits: Floats
    halves: Floats
    elsewhere: Floats
    log_dose: Floats
    volunteers: Floats
    positives: Floats
    negatives: Floats

    @classmethod
    def of(cls, cells: Cells, weights: Floats, centre: float | None = None) -> _Problem:
        hits = cells.mean_hits
        typical = typical_dose(cells, weights) if centre is None else centre
        return cls(
            hits=hits,
            halves=halves(cells),
            elsewhere=cells.mean_elsewhere,
            log_dose=log_dose(cells) - (typical or 0.0),
            volunteers=np.asarray(1.0 - cells.prompted, np.float64),
            positives=cells.positives * weights,
            negatives=(cells.reporters - cells.positives) * weights,
        )

    def learnable(self) -> npt.NDArray[np.int64]:
        """Return the indices of the parameters that the likelihood depends on."""
        counted = self.positives + self.negatives > 0.0
        volunteers = bool((self.volunteers[counted] > 0.0).any())
        prompted = bool((self.volunteers[counted] == 0.0).any())
        elsewhere = bool((self.elsewhere[counted] > 0.0).any())
        visits = [bool(column.any()) for column in (self.hits[counted] > 0.0).T]
        return np.flatnonzero([any(visits), elsewhere, volunteers, volunteers, volunteers, prompted, *visits])

    def hazards(self, at: Floats) -> tuple[Floats, Floats]:
        """Return expected infections in visits (..., 2, n) and elsewhere (..., 1, n), given parameters."""
        visits = np.exp(at[..., SCALE, None] + at[..., KIND:]) @ self.hits.T
        elsewhere = np.exp(at[..., BACKGROUND, None]) * self.elsewhere
        return visits[..., None, :] * self.halves, elsewhere[..., None, :]

    def log_odds(self, at: Floats) -> Floats:
        """Return log odds of a positive report, (..., n), at the mean chance of both halves."""
        each = self.log_odds_of_halves(at)
        yes, no = -np.logaddexp(0.0, -each), -np.logaddexp(0.0, each)
        return np.asarray(np.logaddexp(yes[..., 0, :], yes[..., 1, :]) - np.logaddexp(no[..., 0, :], no[..., 1, :]))

    def log_odds_of_halves(self, at: Floats) -> Floats:
        """Return log odds of a positive report in each half, (..., 2, n)."""
        true = self.log_true_reports(at)
        return np.logaddexp(true, self.log_liars(at) + np.logaddexp(0.0, true))

    def log_true_reports(self, at: Floats) -> Floats:
        """Return log odds of a positive report that is true."""
        x = np.maximum(sum(self.hazards(at)), 1e-300)
        said = at[..., REPORTING, None, None] + at[..., RISE, None, None] * self.log_dose
        return np.asarray(self.volunteers * said + x + np.log(-np.expm1(-x)))

    def log_liars(self, at: Floats) -> Floats:
        """Return log odds of a false report, (..., 1, n)."""
        return np.where(self.volunteers > 0.0, at[..., LIARS, None, None], at[..., PROMPTED_LIARS, None, None])

    def log_likelihood(self, at: Floats) -> Floats:
        """Return the log-likelihood (...,) without the constant of the binomial."""
        odds = self.log_odds(at)
        return np.asarray(odds @ self.positives - np.logaddexp(0.0, odds) @ (self.positives + self.negatives))

    def slopes(self, at: Floats) -> Floats:
        """Return derivatives of the log odds by the parameters, (n, parameters)."""
        visits, elsewhere = self.hazards(at)
        true, liars, each = self.log_true_reports(at), self.log_liars(at), self.log_odds_of_halves(at)
        yes, no = _chance(each), _chance(-each)  # computed separately: 1 minus a chance near 1 would lose all digits
        # The log odds of a mean chance change with those of a half in the ratio of the variances of the half and the
        # whole.
        share = 0.5 * yes * no / np.maximum(yes.mean(axis=0) * no.mean(axis=0), 1e-300)
        honest = share * np.exp(true + np.log1p(np.exp(liars)) - each)
        lied = (share * np.exp(liars + np.logaddexp(0.0, true) - each)).sum(axis=0)
        # d log(exp(x) - 1) / dx
        steep = honest / -np.expm1(-np.maximum(visits + elsewhere, 1e-300))
        out = np.empty((self.elsewhere.size, len(NAMES)))
        out[:, SCALE], out[:, BACKGROUND] = (steep * visits).sum(axis=0), (steep * elsewhere).sum(axis=0)
        out[:, REPORTING] = honest.sum(axis=0) * self.volunteers
        out[:, RISE] = (honest * self.log_dose).sum(axis=0) * self.volunteers
        out[:, LIARS], out[:, PROMPTED_LIARS] = lied * self.volunteers, lied * (1.0 - self.volunteers)
        out[:, KIND:] = (steep * self.halves).sum(axis=0)[:, None] * np.exp(at[SCALE] + at[KIND:]) * self.hits
        return out

    def information(self, at: Floats) -> Floats:
        """Return the Fisher information, (parameters, parameters)."""
        chance = _chance(self.log_odds(at))
        slopes = self.slopes(at)
        spread = (self.positives + self.negatives) * chance * (1.0 - chance)
        return np.asarray((slopes * spread[:, None]).T @ slopes)

    def gradient(self, at: Floats) -> Floats:
        """Return the gradient of the log-likelihood, (parameters,)."""
        surprise = self.positives - (self.positives + self.negatives) * _chance(self.log_odds(at))
        return np.asarray(surprise @ self.slopes(at))


def _chance(log_odds: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -log_odds)))


def information(cells: Cells, at: Floats) -> Floats:
    """Return the Fisher information of cells at given parameters, (parameters, parameters)."""
    return _Problem.of(cells, np.ones(cells.size)).information(at)


def chances(cells: Cells, estimate: Estimate) -> Floats:
    """Return the predicted chance of a positive report of each cell's average reporter, (n,): the posterior mean."""
    problem = _Problem.of(cells, np.ones(cells.size), estimate.typical_dose)
    return np.asarray(estimate.weights @ _chance(problem.log_odds(estimate.draws)))


def fit(cells: Cells, prior: Prior, *, period: int, seed: int, draws: int = DRAWS) -> Estimate:
    """Return the posterior of a given period, from all cells; no earlier posterior is used.

    The same arguments give the same bytes, in whatever order the cells come. Raise `DivergedError`.
    """
    used = cells.in_order()
    weights = age_weights(used, period)
    problem = _Problem.of(used, weights)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        try:
            at, shares = _draws(problem, prior, np.random.default_rng(seed), draws)
        except np.linalg.LinAlgError as error:
            raise DivergedError("no covariance") from error
    version = version_of(used, prior, period, seed, draws)
    return Estimate(at, shares, _effective(shares), typical_dose(used, weights), version)


def _draws(problem: _Problem, prior: Prior, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
    """Return draws of the posterior and their weights: rounds of ``count``, weighted against the mixture of all rounds.

    The first t distribution is centred on the mode, each further one on the moments of the draws so far, because the
    posterior is skew with volunteers only (adaptive multiple importance sampling, Cornuet 2012, arXiv:0907.1254).
    """
    mean, sd = prior.mean, prior.sd
    mode, precision = _mode(problem, mean, sd)
    # A parameter that no cell depends on is drawn from its prior: the t distribution spans only what is learned.
    learned = problem.learnable()
    if learned.size == 0:
        return mean + sd * rng.standard_normal((count, mean.size)), np.full(count, 1.0 / count)
    at, heights = np.zeros((0, mean.size)), np.zeros(0)
    aims = [(mode[learned], np.asarray(np.linalg.inv(precision[np.ix_(learned, learned)]), np.float64))]
    while True:
        centre, covariance = aims[-1]
        stretch = np.sqrt(DEGREES / rng.chisquare(DEGREES, (count, 1)))
        new = mean + sd * rng.standard_normal((count, mean.size))
        new[:, learned] = centre + stretch * rng.standard_normal((count, learned.size)) @ cholesky(covariance)
        at = np.concatenate([at, new])
        distance = 0.5 * (((new - mean) / sd) ** 2)[:, learned].sum(axis=1)
        heights = np.concatenate([heights, problem.log_likelihood(new) - distance])
        log_weights = heights - np.logaddexp.reduce([_log_t(at[:, learned], *aim) for aim in aims], axis=0)
        if not np.isfinite(log_weights).all():
            raise DivergedError("weights are not finite")
        shares = _shares(log_weights)
        if len(aims) == ROUNDS or _effective(shares) * len(at) >= ENOUGH_EFFECTIVE * count:
            return at, shares
        # With too few draws the moments would have no width: use weights that are flattened halfway.
        while _effective(_shares(log_weights)) * len(at) < min(5 * learned.size, len(at) / 2):
            log_weights = 0.8 * log_weights
        weights = _shares(log_weights)
        spread = np.cov(at[:, learned].T, aweights=weights)
        aims.append((weights @ at[:, learned], np.asarray(np.atleast_2d(spread), np.float64)))


def _log_t(at: Floats, centre: Floats, covariance: Floats) -> Floats:
    """Return the log density of the t distribution without its constant."""
    root = cholesky(covariance, lower=True)
    length = (solve_triangular(root, (at - centre).T, lower=True) ** 2).sum(axis=0)
    return np.asarray(-np.log(np.diag(root)).sum() - 0.5 * (DEGREES + centre.size) * np.log1p(length / DEGREES))


def _shares(log_weights: Floats) -> Floats:
    raw = np.exp(log_weights - log_weights.max())
    return np.asarray(raw / raw.sum())


def _effective(shares: Floats) -> float:
    return float(1.0 / (shares.size * (shares**2).sum()))


def _mode(problem: _Problem, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Return the mode of the posterior, and its precision there."""
    precision = 1.0 / sd**2

    def height(at: Floats) -> float:
        return float(problem.log_likelihood(at)) - 0.5 * float((precision * (at - mean) ** 2).sum())

    at, now = mean.copy(), height(mean)
    for _ in range(STEPS):
        curvature = problem.information(at) + np.diag(precision)
        if not (np.isfinite(curvature).all() and np.isfinite(now)):
            break
        uphill = problem.gradient(at) - precision * (at - mean)
        step = cho_solve(cho_factor(curvature), uphill)
        gain = float(uphill @ step)
        if gain < CLOSE:
            return at, curvature
        for _halving in range(HALVINGS):
            there = height(at + step)
            if there >= now + 1e-4 * gain:
                break
            step, gain = 0.5 * step, 0.5 * gain
        else:
            break
        at, now = at + step, there
    raise DivergedError("no mode found")


def version_of(cells: Cells, prior: Prior, period: int, seed: int, draws: int) -> str:
    """Return twelve hexadecimal digits over everything an estimate depends on."""
    digest = hashlib.sha256(repr((FORM, period, seed, draws, prior, NAMES)).encode())
    ordered = cells.in_order()
    for column in fields(Cells):
        digest.update(getattr(ordered, column.name).tobytes())
    return digest.hexdigest()[:12]
