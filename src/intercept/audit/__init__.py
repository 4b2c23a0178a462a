"""The audit log: what was decided about every call, written before anything is forwarded (DESIGN section 6).

`events` are the records, `chain` makes them hold each other, `redaction` says what of the arguments they have,
`journal` is the files, `recorder` writes and `reading` reads and verifies. The format is an interface, described in the
README.
"""

from __future__ import annotations

from .journal import Place
from .recorder import Recorded, Recorder, Settings
from .redaction import Arguments

__all__ = ["Arguments", "Place", "Recorded", "Recorder", "Settings"]
