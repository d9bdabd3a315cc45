"""Thresholds that a day must meet before it is published, from the settings."""

from django.conf import settings

from exports.policy.profile import Limits
from exports.policy.verified import ClassPolicy


def drift_limits() -> Limits:
    """Return how far a day may move from the day before and still be published without review."""
    return Limits(**getattr(settings, "DATASET_DRIFT_LIMITS", {}))


def class_policy() -> ClassPolicy:
    """Return the requirements of a class of the verified tier."""
    return ClassPolicy(**getattr(settings, "VERIFIED_CLASSES", {}))
