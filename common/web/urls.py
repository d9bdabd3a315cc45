"""URLs of this app. They come last, for requests that no other app handles."""

from django.urls import URLPattern, URLResolver, re_path

from common.web.problems import unknown_address

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^(?:api|\.well-known)(?:/|$)", unknown_address),
]
