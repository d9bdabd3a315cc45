"""Small views at the URL names that tokens of devices may call, and at one they may not."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from common.web.throttles import DeviceThrottle
from venues.authentication import DeviceAuthentication, IsDevice, device_of


class Echo(APIView):
    """Return which device sends the request."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)
    throttle_classes = (DeviceThrottle,)

    def get(self, request: Request) -> Response:
        """Return the device and its venue."""
        device = device_of(request)
        return Response({"device": device.public_id, "venue": device.venue, "user": request.user})

    def post(self, request: Request) -> Response:
        """Return the device and its venue."""
        return self.get(request)


urlpatterns = [
    path(name, Echo.as_view(), name=name) for name in ("device-bundle", "scans", "scans-batch", "air", "more")
]
