"""The privacy claims of CrowdTrace and their limits, in plain words.

A claim names the file of tests that attacks it, if there is one.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Claim:
    """A promise: its number, its text, and the file of tests that tries to break it, if there is one."""

    number: str
    title: Promise
    words: Promise
    test: str


@dataclass(frozen=True)
class Limit:
    """A limit: something that is not protected."""

    title: Promise
    words: Promise


CLAIMS: Final = (
    Claim(
        "P1",
        _("A door learns one bit"),
        _(
            "Green or red, and nothing else about your health. Every cause of red has the same answer "
            "of the same size. Answers are sent at a moment after the request that does not depend on "
            "the cause. A small part is added that all repeats of a code within a minute share, so "
            "that more repeats in that minute reveal no more. A server that is too busy to keep that "
            "moment shows how long it worked, so a place gets few repeats of one code a minute; your "
            "answers never play a part."
        ),
        "tests/adversaries/test_door.py",
    ),
    Claim(
        "P2",
        _("Two places cannot match you"),
        _(
            "Two places that compare everything their doors saw find the same visitor no better than "
            "by chance. Your passes have nothing in common but the day."
        ),
        "tests/adversaries/test_colluders.py",
    ),
    Claim(
        "P3",
        _("The database alone links no two visits"),
        _("Somebody who steals all of it cannot tell which visits belong to one person, or who made a visit."),
        "tests/adversaries/test_database.py",
    ),
    Claim(
        "P4",
        _("We never have your key"),
        _(
            "Your key is made on your phone and stays there. It is not in the database, the logs, a backup or a web "
            "address."
        ),
        "tests/adversaries/test_database.py",
    ),
    Claim(
        "P5",
        _("A photo of your pass soon stops working"),
        _(
            "The code on the screen changes every minute. Where a place requires it, as all do unless "
            "they switch it off, a photo stops working two minutes later, and never works at another "
            "place or on another day."
        ),
        "tests/adversaries/test_thief.py",
    ),
    Claim(
        "P6",
        _("Your answers are on no pass, scan or public page"),
        _(
            "None of them depends on your four answers. If you get no pass, only your phone is told, and "
            "on the network that answer is the same size as a pass. The answers are kept with the visit "
            "for 14 days, count in the risk of the others who were there, and go into the open data "
            "as counts with noise."
        ),
        "tests/adversaries/test_answers.py",
    ),
    Claim(
        "P7",
        _("Visits are forgotten after 14 days"),
        _(
            "Visits and answers are deleted 14 days after their day ends, from backups 14 days after that. The number "
            "of a pass is deleted when its day ends."
        ),
        "tests/adversaries/test_retention.py",
    ),
    Claim(
        "P8",
        _("You can erase your visits and get a receipt"),
        _(
            "Your visits are removed from the database and from the part of the data that holds real "
            "rows. The receipt lists what was rewritten and says nothing about you."
        ),
        "tests/adversaries/test_holder.py",
    ),
    Claim(
        "P9",
        _("Nothing can be guessed or probed"),
        _(
            "“Unknown” and “wrong” look alike. A receipt can be read only with its own number, which is too long to "
            "guess."
        ),
        "tests/adversaries/test_prober.py",
    ),
    Claim(
        "P10",
        _("A stolen scanner gives away little"),
        _("It holds public keys, sealed scans that it cannot open itself, and its own token, which can be revoked."),
        "tests/adversaries/test_stolen_kiosk.py",
    ),
    Claim(
        "P11",
        _("Nobody can fake another place's crowd"),
        _(
            "A visit counts only with a scan from a device of that place and a pass that can be verified. Places that "
            "nobody has verified do not count in the data. A refusal at check-in needs no device, so somebody who "
            "makes many keys can add refusals to a day; in the open data an area's refusals are cut to three times the "
            "usual ones and half of its scanned passes, plus what noise explains."
        ),
        "tests/adversaries/test_faker.py",
    ),
    Claim(
        "P12",
        _("Broken codes break nothing"),
        _("A scanner can be shown any text. Anything that is not a pass is declined, and the scanner keeps working."),
        "tests/adversaries/test_malformed.py",
    ),
    Claim(
        "P13",
        _("Not even a live server learns who checks in"),
        _(
            "Your phone gets tickets in advance and spends one at each check-in. A server that logs "
            "everything cannot tell from a ticket whose it is, or that two belong to one person. "
            "Network addresses, browsers and a first use can still give hints."
        ),
        "tests/adversaries/test_live_server.py",
    ),
    Claim(
        "P14",
        _("Erasing tells two places nothing"),
        _(
            "The entry that lets offline doors decline an erased pass appears at a random time within "
            "12 hours, among entries that belong to nobody. Where twenty passes a day are erased at "
            "each of two places, comparing their lists matches people no better than chance."
        ),
        "tests/adversaries/test_revocations.py",
    ),
)

LIMITS: Final = (
    Limit(
        _("Your personal code is you"),
        _("Anyone who has it, on paper or as a picture, can act as you here. Keep it as safe as your house key."),
    ),
    Limit(
        _("An operator who starts to log"),
        _(
            "The operator of the server could start to log network addresses, and with them which "
            "check-ins came from one connection. A check-in right after a phone first got tickets can "
            "be recognised by the time alone."
        ),
    ),
    Limit(
        _("A code relayed live"),
        _("Somebody who sends your screen to a friend within the minute lets that friend in."),
    ),
    Limit(
        _("Clocks, faces and cameras"),
        _("Two doors can compare times and faces. Cameras see who comes in."),
    ),
    Limit(
        _("Staff who wave people through"),
        _("A place may let people in on red. No software can stop it."),
    ),
    Limit(
        _("Which place a pass is for"),
        _("Anyone who sees a pass can try it against the list of places and find the one it was made for."),
    ),
    Limit(
        _("Passes around one person"),
        _(
            "Answers are counted once a day for a whole place and rounded with a secret number. "
            "Somebody who is let in six times next to you, or thirty, and knows every other answer of "
            "that day learns yours with a chance of one in eight. A reported test is not rounded: it "
            "shows among twelve or more others. Nor are ratings: with four of their own, somebody "
            "sees in their shield what a fifth person rated in that hour."
        ),
    ),
    Limit(
        _("Invitations"),
        _(
            "Your answers use up a personal invitation, whether you get a pass or not. A host who "
            "tries your code learns that you answered, but not what."
        ),
    ),
    Limit(
        _("How full a place is"),
        _(
            "Pages show in steps how full a place is now, and when it is full; the screen of a door "
            "shows how many people are inside. Anyone who watches a step, or changes the limit again "
            "and again, learns when one person comes or goes. Of past days, a place sees numbers with "
            "noise that is drawn once."
        ),
    ),
    Limit(
        _("A lone positive test"),
        _("One reported result marks hours of a place, for those who were there. It names nobody."),
    ),
    Limit(
        _("The order of pages on the disk"),
        _(
            "The database's files and journal are in the order of writing. Anyone who reads the disk "
            "itself may guess what was written together."
        ),
    ),
    Limit(
        _("Erasing alone"),
        _(
            "If nobody else erases at two places in the same half day, those places can see that the "
            "two entries belong together. Until your entry appears, a door without a connection may "
            "still accept your pass."
        ),
    ),
    Limit(
        _("Within one day, inside the database"),
        _(
            "Until rows are put into random order at night, somebody who reads the live database can "
            "tell from their position and transaction which rows were written together."
        ),
    ),
    Limit(
        _("Copies of open data"),
        _(
            "Downloaded data cannot be recalled. No row of the open data belongs to a person; each "
            "day costs a bounded, stated amount of privacy, and days add up."
        ),
    ),
)
