"""PostgreSQL and Valkey, installed by pip and running in one folder, the *home*.

The embedded mode is in use if `DATABASE_URL` is not set. Every process that needs the services enters
`services(home())`: the first one starts them, the last one to leave stops them, and a killed process leaves nothing
that blocks the next one. Nothing here imports Django, because settings are read after the services have started.
"""

from .home import HomeError, home, put_secrets, secrets
from .postgres import binary as postgres_binary
from .processes import ServiceError
from .runtime import destroy, is_given, revive, services
from .serving import served_url

__all__ = [
    "HomeError",
    "ServiceError",
    "destroy",
    "home",
    "is_given",
    "postgres_binary",
    "put_secrets",
    "revive",
    "secrets",
    "served_url",
    "services",
]
