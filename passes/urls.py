"""URLs of this app. Those for doors and check-ins are in `urls_doors` and are matched first."""

from django.urls import URLPattern, URLResolver, include, path

from passes.api import holders, keys, owners, visitors

urlpatterns: list[URLPattern | URLResolver] = [
    path(".well-known/jwks.json", keys.JwksView.as_view(), name="jwks"),
    path("api/v1/visitors", visitors.VisitorsView.as_view(), name="visitors"),
    path("api/v1/visitors/me", visitors.MeView.as_view(), name="me"),
    path("api/v1/passes/render", holders.RenderView.as_view(), name="passes-render"),
    path("api/v1/passes/revoke", holders.RevokeView.as_view(), name="passes-revoke"),
    path("api/v1/ratings", holders.RatingsView.as_view(), name="ratings"),
    path("api/v1/names", holders.NamesView.as_view(), name="names"),
    path("api/v1/owner/venues/<str:venue>/names", owners.PresentNamesView.as_view(), name="owner-names"),
    path("", include("passes.urls_pages")),
]
