"""The secret of a demonstration's example visitor: simulated, so that anybody may look at a fortnight of them.

It is public and follows from this file. It belongs to nobody, and no page ever keeps it where a visitor's own key is:
`crowdtrace.site.visitor.example` gives it to a page that holds it in memory alone.
"""

import hashlib
from typing import Final

from passes.codec.identity import SECRET_BYTES

SECRET: Final = hashlib.sha256(b"CrowdTrace: example visitor of the demonstration, simulated and public").digest()[
    :SECRET_BYTES
]
