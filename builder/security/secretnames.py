"""Names that say that their value is a secret (BuildKit, ``dockerfile2llb/convert.go``, "secretsRegexp")."""

from __future__ import annotations

import re
from typing import Final

_SECRET: Final = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)", re.IGNORECASE
)
_NO_SECRET: Final = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)


def names_a_secret(name: str) -> bool:
    """Whether a variable of this name should not stand in an image or a manifest.

    >>> names_a_secret("API_TOKEN"), names_a_secret("TOKEN_FILE"), names_a_secret("TOKENIZER")
    (True, False, False)
    """
    return _SECRET.search(name) is not None and _NO_SECRET.search(name) is None
