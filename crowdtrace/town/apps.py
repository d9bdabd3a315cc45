from django.apps import AppConfig


class TownConfig(AppConfig):
    name = "crowdtrace.town"
    label = "town"
