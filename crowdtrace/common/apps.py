from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "crowdtrace.common"
    label = "common"
