"""Images and files of a credential for its holder. Nothing is stored."""

import datetime as dt

from django.utils.translation import gettext as _

from common.web.problems import Invalid
from passes import keys, render
from passes.codec import Cause, UncheckedPass, check_signature, read_pass
from passes.formats import Format
from passes.services.tombstones import venue_of_pass
from passes.wallet import wallet_signer


def render_credential(*, credential: str, form: Format, now: dt.datetime) -> bytes:
    """Return the bytes of a credential in one format. Raise `Invalid` for a text that is not a pass.

    A screen text becomes a code for screens, a static one a code for paper. A wallet file is made only for a pass with
    a valid signature for its venue; it makes no difference whether the pass has been revoked or erased since.
    """
    read = read_pass(credential)
    if isinstance(read, Cause):
        raise _not_a_pass()
    match form:
        case Format.SVG | Format.PNG:
            return _picture(credential, form, render.Level.PAPER if read.slot is None else render.Level.SCREEN)
        case Format.NDEF:
            return render.pass_ndef(read.pass_bytes)
        case Format.PKPASS:
            _check(read, now)
            return render.wallet_pass(
                read, signer=wallet_signer(), organisation="CrowdTrace", description=_("GO pass for one day")
            )


def _picture(credential: str, form: Format, level: render.Level) -> bytes:
    draw = render.qr_svg if form is Format.SVG else render.qr_png
    try:
        return draw(credential, level=level)
    except ValueError:  # the signature is not verified, so these may be any bytes
        raise _not_a_pass() from None


def _check(read: UncheckedPass, now: dt.datetime) -> None:
    venue = venue_of_pass(read.anchor)
    if venue is None or check_signature(read, venue=venue, keys=keys.keyring(now)) is not None:
        raise _not_a_pass()


def _not_a_pass() -> Invalid:
    return Invalid.field("/credential", _("This is not the text of a pass of this deployment."), "credential")
