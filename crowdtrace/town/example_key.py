"""The secret of a demonstration's example visitor, who is simulated, so that anybody may look at a fortnight of theirs.

It is public and follows from this file. It belongs to nobody, and no page stores it where a visitor's own key is:
`crowdtrace.site.visitor.example` gives it to a page that keeps it in memory only.
"""

import hashlib
from typing import Final

from passes.codec.identity import SECRET_BYTES

SECRET: Final = hashlib.sha256(b"CrowdTrace: example visitor of the demonstration, simulated and public").digest()[
    :SECRET_BYTES
]
