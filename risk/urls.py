"""URLs of this app. Names that devices may call are listed in `venues.authentication.ALLOWED`."""

from django.urls import URLPattern, URLResolver, path

from risk.api import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/shield", views.ShieldView.as_view(), name="shield"),
    path("api/v1/diagnoses", views.DiagnosesView.as_view(), name="diagnoses"),
    path("api/v1/venues", views.VenuesView.as_view(), name="venues"),
    path("api/v1/venues/<str:venue>", views.VenueView.as_view(), name="venue"),
    path("api/v1/air", views.AirView.as_view(), name="air"),
]
