"""PostgreSQL and Valkey that come from pip and live in one folder, the *home*.

The embedded mode is the mode in which `DATABASE_URL` is not given. Every process that needs the services enters
`services(home())`: the first one starts them, the last one to leave stops them, and a process that was killed leaves
nothing that stops the next one. Nothing here imports Django, for settings are read after the services stand.
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
