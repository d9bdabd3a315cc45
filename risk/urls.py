"""Addresses of this room. Names that devices may call stand in `venues.authentication.ALLOWED`."""

from django.urls import URLPattern, URLResolver, path

from risk import views_api

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/shield", views_api.ShieldView.as_view(), name="shield"),
    path("api/v1/venues", views_api.VenuesView.as_view(), name="venues"),
    path("api/v1/venues/<str:venue>", views_api.VenueView.as_view(), name="venue"),
    path("api/v1/air", views_api.AirView.as_view(), name="air"),
]
