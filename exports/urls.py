"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from exports.api import erasures

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/erasures", erasures.ErasuresView.as_view(), name="erasures"),
    path("api/v1/erasures/<str:erasure>", erasures.ErasureView.as_view(), name="erasure"),
]
