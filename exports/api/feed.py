"""The Atom feed of releases (RFC 4287)."""

from collections.abc import Iterable

from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext as _

from exports import conf
from exports.dataset import publication
from exports.models import Release

MEDIA_TYPE = "application/atom+xml"
ENTRIES = 50


def atom(*, base: str, releases: Iterable[Release]) -> str:
    """Return the feed, newest announcement first."""
    feed = Atom1Feed(
        title=publication.title(),
        link=base,
        description="",
        subtitle=publication.description(),  # the description is no element of Atom
        feed_url=f"{base}/feed.atom",
        author_name=conf.publisher(),  # required (RFC 4287 section 4.1.1)
    )
    for release in releases:
        link = f"{base}/releases/{release.day.isoformat()}"
        feed.add_item(
            title=_("Release of %(day)s") % {"day": release.day.isoformat()},
            link=link,
            unique_id=link,
            description=_("%(rows)d rows, epsilon %(epsilon).3g, %(suppressed)d cells suppressed")
            % {
                "rows": release.manifest["rows"],
                "epsilon": release.epsilon,
                "suppressed": release.manifest["cells_suppressed"],
            },
            pubdate=release.announced_at,
            updateddate=release.announced_at,
        )
    return feed.writeString("utf-8")
