"""The application behind its front, with the small views of this app, for a real web server."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.utils.module_loading import import_string

settings.ROOT_URLCONF = "tests.common.views"
settings.DOORS_URLS = set()  # otherwise these would be resolved from the list of the real ones

wsgi_application = get_wsgi_application()
application = import_string("common.web.front.Front")(wsgi_application)  # once the apps are loaded
import_string("common.web.stalled.watch")()
