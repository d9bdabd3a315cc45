"""Addresses of the front page and of what belongs to every page."""

from django.urls import URLPattern, path

from crowdtrace.site import views_documents, views_pages

urlpatterns: list[URLPattern] = [
    path("", views_pages.front, name="page-front"),
    path("docs", views_documents.docs, name="page-docs"),
    path("docs/files/<path:name>", views_documents.doc_file, name="page-doc-file"),
    path("docs/<path:name>", views_documents.doc, name="page-doc"),
    path("privacy", views_documents.privacy, name="page-privacy"),
    path("language", views_pages.language, name="page-language"),
    path("app.webmanifest", views_pages.manifest, name="page-manifest"),
    path("service-worker.js", views_pages.service_worker, name="page-service-worker"),
]
