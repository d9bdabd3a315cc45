"""Pages of the dataset are tested with two released days."""

from tests.exports.conftest import released

__all__ = ["released"]
