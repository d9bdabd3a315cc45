"""The application with the small views of this app, for a real web server."""

import os

os.environ["DJANGO_SETTINGS_MODULE"] = "crowdtrace.settings"

from django.conf import settings
from django.core.wsgi import get_wsgi_application

settings.ROOT_URLCONF = "tests.common.views"

application = get_wsgi_application()
