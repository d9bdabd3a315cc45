"""URLs of this app: the last ones, for what no other app answers."""

from django.urls import URLPattern, URLResolver, re_path

from common.web.problems import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^(?:api|\.well-known)(?:/|$)", unknown_address),
]
