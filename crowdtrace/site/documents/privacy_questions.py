"""What visitors should know about their privacy: questions with answers in plain words.

Nothing here says more than the claims (`claims.py`) and `docs/privacy.md` do.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Point:
    """A question as a visitor would ask it, and the answer."""

    question: Promise
    answer: Promise


POINTS: Final = (
    Point(
        _("Do you know who I am?"),
        _("No. You give no name, number or address. Your phone makes a key, and the key stays on your phone."),
    ),
    Point(
        _("Do you know where I have been?"),
        _(
            "We know that somebody visited a place on a day. We do not know that it was you, or that two visits are "
            "yours. Your phone knows, and only your phone can show which visits are yours."
        ),
    ),
    Point(
        _("Who sees my answers?"),
        _(
            "No door or place does. They are kept with the visit for 14 days. Once a day they are "
            "counted for the whole place, and the number is blurred before it counts in the risk of "
            "others who were there. Somebody who knows what everyone else there answered that day "
            "learns yours one time in eight."
        ),
    ),
    Point(
        _("What does the door see?"),
        _(
            "Green or red. Red can have many reasons: an old code, a full place, a pass for another "
            "place. If your answers do not meet the place's rules, you get no pass at all, and only "
            "you see why."
        ),
    ),
    Point(
        _("What does the place see?"),
        _(
            "How many people are inside now: in steps on its pages, as a number on the screen of a "
            "door. For past days, about how many came or got no pass: the numbers are blurred on "
            "purpose, so that guessing whether you are among them is little better than chance. Your "
            "name, if you choose to show it, until the day is over."
        ),
    ),
    Point(
        _("What if I report a test?"),
        _(
            "Your result is added, without your name, to a total for the hours you were there. Others "
            "who were there see their risk change the next night. You cannot take it back, because "
            "nobody can tell which part of the total is yours. In a small crowd, people may guess."
        ),
    ),
    Point(
        _("What is published?"),
        _(
            "Counts with noise, and made-up rows that match them. No row belongs to a person. "
            "Approved organisations may also get real visits, without anything that links two of "
            "them, in groups of at least 30 that look alike."
        ),
    ),
    Point(
        _("How long do you keep things?"),
        _(
            "Visits and answers: 14 days after the day. Backups: 14 days longer. A name that you "
            "showed, and the number of a pass: until the day is over. Real rows that organisations "
            "received: until you erase them."
        ),
    ),
    Point(
        _("Can I delete it?"),
        _(
            "Yes, on the page “My data”. It is removed from our database at once, and you get a "
            "receipt. What was counted in blurred totals, and what others downloaded, stays."
        ),
    ),
    Point(
        _("What can you not protect me from?"),
        _(
            "People and cameras that see you. Somebody who takes your phone or your printed key. An "
            "operator who starts to log network addresses. A place that lets people in on red."
        ),
    ),
    Point(
        _("Why should I believe you?"),
        _(
            "You don't have to. The program is public, each promise names the test that tries to "
            "break it, and the list of what is not protected is as long as it needs to be."
        ),
    ),
)
