"""Base classes of the owner's API views."""

from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from common.web.etag import ETagMixin, entity_tag
from common.web.pagination import CursorPagination
from common.web.serializers import read_query
from venues import links
from venues.authentication import (
    OWNER_AUTHENTICATION,
    IsOperator,
    IsOwner,
    OwnerSessionAuthentication,
    user_of,
)

PAGED: Final = frozenset({"limit", "cursor"})
Serializer = type[BaseSerializer[Any]]


class OwnerView(ETagMixin, APIView):
    """A view for people who run venues, by session or token."""

    authentication_classes: tuple[type[BaseAuthentication], ...] = OWNER_AUTHENTICATION
    permission_classes = (IsOwner,)

    @property
    def user(self) -> User:
        """Return the user."""
        return user_of(self.request)

    @property
    def actor(self) -> str:
        """Return the name of the user for the audit log."""
        return self.user.username

    def show(self, serializer: Serializer, row: Any, status: int = 200) -> Response:
        """Return a response with one object."""
        return Response(self.represent(serializer, row), status=status)

    def show_changed(self, serializer: Serializer, row: Any) -> Response:
        """Return a response with an object that was just changed, and its new ETag for the next change."""
        data = self.represent(serializer, row)
        return Response(data, headers={"ETag": entity_tag(data)})

    def represent(self, serializer: Serializer, row: Any) -> Any:
        """Return one object as the API represents it."""
        return serializer(row, context={"origin": origin_of(self.request)}).data


class OwnerListView(OwnerView):
    """A view that also lists, page by page; `ordering` must be a unique order of the rows."""

    pagination_class = CursorPagination
    ordering: str = "-pk"
    query_serializer: type[serializers.Serializer[Any]] = serializers.Serializer

    def page(self, serializer: Serializer, rows: QuerySet[Any]) -> Response:
        """Return a response with one page; refuse query parameters that have no meaning here."""
        read_query(self.request, self.query_serializer, also=PAGED)
        paginator = self.pagination_class()
        found = paginator.paginate_queryset(rows, self.request, view=self)
        context = {"origin": origin_of(self.request)}
        return paginator.get_paginated_response(serializer(found, many=True, context=context).data)


class AccountView(OwnerView):
    """A view of the account itself: by session only, and never stored on the way."""

    authentication_classes = (OwnerSessionAuthentication,)
    cache_control = "no-store"


class OperatorView(OwnerListView):
    """A view for operators."""

    permission_classes = (IsOperator,)


def origin_of(request: Request | HttpRequest) -> str:
    """Return scheme and host of the deployment."""
    return links.origin(request._request if isinstance(request, Request) else request)


def no_content() -> Response:
    """Return a 204 response."""
    return Response(status=204)
