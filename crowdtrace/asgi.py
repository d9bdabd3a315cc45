"""Entry of the web server: the application of `crowdtrace.wsgi` behind its front."""

import sys

from crowdtrace.wsgi import application as wsgi_application

from common.web.front import Front  # isort: skip  # what it imports needs the apps that the line above loads

# A scan waits for the interpreter some ten times, each time behind whatever a page computes: 1 ms, not Python's 5.
sys.setswitchinterval(0.001)
application = Front(wsgi_application)
__all__ = ["application"]
