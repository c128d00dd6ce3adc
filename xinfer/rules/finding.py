"""What a check says: which rule, what is wrong, where, and how to mend it."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from xinfer.spec import Origin


class Severity(StrEnum):
    """How bad it is.

    ``refused``: a gate refuses the plugin, be it packing, upload, remote debugging or start.
    ``broken``: every gate lets it pass, and it fails or misbehaves later. ``advice``: what users
    or the marketplace's review trip over.
    """

    REFUSED = "refused"
    BROKEN = "broken"
    ADVICE = "advice"


@frozen(kw_only=True)
class Finding:
    """One mistake.

    :param path: where in the project, e.g. ``provider.help.url``.
    :param place: where in a file, as far as it is known.
    """

    code: str
    severity: Severity
    message: str
    hint: str
    path: str
    place: Origin | None = None
