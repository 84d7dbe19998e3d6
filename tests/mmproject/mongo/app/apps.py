from django.apps import AppConfig


class ProbeConfig(AppConfig):
    name = "tests.mmproject.mongo.app"
    label = "probe"
