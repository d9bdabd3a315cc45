"""Entry of the web server: the application of `crowdtrace.wsgi` behind its front."""

from crowdtrace.wsgi import application as wsgi_application

from common.web.front import Front  # isort: skip  # what it imports needs the apps that the line above loads

application = Front(wsgi_application)
__all__ = ["application"]
