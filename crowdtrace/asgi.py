"""Entry point of the web server: the application of `crowdtrace.wsgi` behind its front."""

import atexit
import sys

from crowdtrace.wsgi import application as wsgi_application

from common import measures  # isort: skip
from common.web import stalled  # isort: skip
from common.web.front import Front  # isort: skip  # it imports modules that need the apps loaded above

# A scan waits for the interpreter about ten times, each time until a page yields it: 1 ms instead of Python's 5.
sys.setswitchinterval(0.001)
application = Front(wsgi_application)
stalled.watch()
atexit.register(measures.flush)  # Python 3.13 forgets what was registered before this process was copied
__all__ = ["application"]
