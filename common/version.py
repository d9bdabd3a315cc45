"""The version of CrowdTrace: that of the installed package, else of the checkout it runs from."""

import tomllib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

from embedded.home import CHECKOUT

PACKAGE = "crowdtrace"


@lru_cache(maxsize=1)
def crowdtrace_version() -> str:
    """Return it, as in `0.1.0`; `unknown` where there is neither package nor checkout."""
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        pass
    try:
        project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
        return str(project["project"]["version"])
    except (OSError, ValueError, LookupError):
        return "unknown"
