"""Under which id a form of a stranger is stored.

The form's own UUID makes sending it twice harmless: whoever sends it again is led to the same link. So it must stay with the phone
that made it. The id of the stored row stands in addresses that offices, companies and colleagues see; it is made of the form's
UUID by a key, so that nobody who sees the one can send the other.
"""

import uuid

from checkpoint.privacy import keyring, secret_tag


def stored_id(kind: str, typed: uuid.UUID) -> uuid.UUID:
    """The id of the row that a form of a kind makes; the same for the same form."""
    return uuid.UUID(bytes=secret_tag(keyring(), "form", kind.encode() + typed.bytes, 16), version=4)
