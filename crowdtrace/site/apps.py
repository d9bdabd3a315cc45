from django.apps import AppConfig


class SiteConfig(AppConfig):
    name = "crowdtrace.site"
    label = "site"
