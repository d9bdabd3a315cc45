"""What CrowdTrace claims about privacy and what it cannot promise, in plain words.

A claim names the file of tests that attacks it, where there is one.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Claim:
    """One promise: its number, its words, and the file of tests that tries to break it, if there is one."""

    number: str
    title: Promise
    words: Promise
    test: str


@dataclass(frozen=True)
class Limit:
    """Something that is not protected."""

    title: Promise
    words: Promise


CLAIMS: Final = (
    Claim(
        "P1",
        _("A door learns one bit"),
        _(
            "Green or red, and nothing about your health beyond that. Every cause of red has the same answer in the "
            "same size. Answers leave at a moment after the request that does not depend on the cause. A part is added "
            "that repeats of a code share, so that more repeats tell no more. A server that is too busy to keep the "
            "moment shows how long it worked, so a place gets few repeats of one code; your answers never play a part."
        ),
        "tests/adversaries/test_door.py",
    ),
    Claim(
        "P2",
        _("Two venues cannot match you"),
        _(
            "Two venues that put everything their doors saw side by side find the same visitor no better than by "
            "chance. What your passes carry shares nothing but the day."
        ),
        "tests/adversaries/test_colluders.py",
    ),
    Claim(
        "P3",
        _("The database alone joins no two visits"),
        _("Somebody who steals all of it cannot tell which visits are one person's, nor who made a visit."),
        "tests/adversaries/test_database.py",
    ),
    Claim(
        "P4",
        _("Your key is nowhere on our side"),
        _("The secret is made on your phone and stays there: not in the database, the logs, a copy or an address."),
        "tests/adversaries/test_database.py",
    ),
    Claim(
        "P5",
        _("A photo of your pass is worthless later"),
        _(
            "The code on the screen changes every minute. Where a place asks for it, as all do unless they switch it "
            "off, a picture opens nothing two minutes later, at no other place and on no other day."
        ),
        "tests/adversaries/test_thief.py",
    ),
    Claim(
        "P6",
        _("What you answer is on no pass, scan or public page"),
        _(
            "None of them depends on your four answers. A no to a pass is told to you alone, and has the same size on "
            "the network as a yes. The answers are kept with the visit for 14 days, count in the risk of the others "
            "who were there, and go into the open data as counts with noise."
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
        _("You can erase, and get a receipt"),
        _(
            "Your visits leave the database and the tier of the data that holds real rows. The receipt lists what was "
            "rewritten and says nothing about you."
        ),
        "tests/adversaries/test_holder.py",
    ),
    Claim(
        "P9",
        _("Nothing can be guessed or probed"),
        _("Unknown and wrong look alike. A receipt can be read only with its own number, which is too long to guess."),
        "tests/adversaries/test_prober.py",
    ),
    Claim(
        "P10",
        _("A stolen door gives away little"),
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
        _("Any text may be shown to a door. What is no pass is declined, and the door goes on."),
        "tests/adversaries/test_malformed.py",
    ),
    Claim(
        "P13",
        _("Not even a live server learns who checks in"),
        _(
            "You draw tickets ahead and spend one at each check-in. A server that logs everything cannot tell whose "
            "ticket it is, nor that two are one person's; addresses, browsers and first uses apart."
        ),
        "tests/adversaries/test_live_server.py",
    ),
    Claim(
        "P14",
        _("Erasing tells two venues nothing"),
        _(
            "The entry that lets offline doors decline an erased pass appears at a random time within 12 hours, among "
            "entries that belong to nobody. Where twenty passes a day are erased at each of two venues, comparing "
            "their lists matches people no better than chance."
        ),
        "tests/adversaries/test_revocations.py",
    ),
)

LIMITS: Final = (
    Limit(
        _("Your personal code is you"),
        _("Anyone who holds it, on paper or as a picture, is you here. Keep it as you keep a house key."),
    ),
    Limit(
        _("An operator who starts to log"),
        _(
            "Whoever runs the server could begin to write down network addresses, and with them which check-ins came "
            "from one connection. A check-in right after the first draw of tickets can be told by the time alone."
        ),
    ),
    Limit(
        _("A code passed on live"),
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
        _("Whoever sees a pass can try it against the list of places, and find the one it was made for."),
    ),
    Limit(
        _("Passes around one person"),
        _(
            "Answers are counted once a day for a whole place and rounded with a secret number. Somebody who is let in "
            "six times beside you, or thirty, and knows every other answer of that day learns yours with a chance of "
            "one in eight. A reported test is not rounded: it shows beside twelve or more others. Nor are ratings: "
            "with four of their own, somebody sees in their shield what a fifth rated in that hour."
        ),
    ),
    Limit(
        _("Invitations"),
        _(
            "Your answers use up a personal invitation, whether you get a pass or not. A host who tries your code "
            "learns that you answered, not what."
        ),
    ),
    Limit(
        _("How full a place is"),
        _(
            "Places, cards and doors tell how full it is now, in steps, and when it is full. Who watches a step, or "
            "moves the limit again and again, learns when one person comes or goes. Of days that are over, a place "
            "sees numbers with noise that is drawn once."
        ),
    ),
    Limit(
        _("A lone positive test"),
        _("One reported result marks hours of a place, for those who were there. It names nobody."),
    ),
    Limit(
        _("The order of pages on the disk"),
        _(
            "The database's files and its journal lie in the order of writing. Whoever reads the disk itself may guess "
            "at what was written together."
        ),
    ),
    Limit(
        _("Erasing alone"),
        _(
            "If nobody else erases at two places in the same half day, those places can see that the two entries "
            "belong together. Until your entry appears, a door without a connection may still let your pass in."
        ),
    ),
    Limit(
        _("Within one day, inside the database"),
        _(
            "Until rows are put into random order at night, somebody who reads the live database can tell from their "
            "place and transaction which rows were written together."
        ),
    ),
    Limit(
        _("Copies of open data"),
        _(
            "What was downloaded cannot be recalled. No row of the open data is a person's; each day costs a bounded, "
            "stated amount of privacy, and days add up."
        ),
    ),
)
