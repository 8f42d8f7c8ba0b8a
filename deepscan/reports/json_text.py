"""JSON as every report writes it: one line, or indented, harmless to look at and exact to read back.

Characters that a terminal or an editor would act on or hide (control codes, bidi overrides, zero-width marks) are
written as JSON's own escapes.
"""

from __future__ import annotations

import json
import re

from deepscan.types import JSONValue

# What text.clean() makes visible (Unicode categories Cc, Cf, Zl, Zp; a test compares), less what json escapes anyway.
_INVISIBLE = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f]"
)


def dump(value: JSONValue, indent: int | None = None) -> str:
    """A JSON value that the schema made (no lone surrogate is left in it) as text. The same value gives the same text.

    Raises:
        ValueError: a number is NaN or infinite.
    """
    # ensure_ascii=False is safe: the schema has escaped every lone surrogate, so the text is valid UTF-8.
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    # Outside strings a JSON text is ASCII, so what is replaced here stands in a string, where this escape may stand.
    return text if text.isascii() and "\x7f" not in text else _INVISIBLE.sub(lambda m: json.dumps(m[0])[1:-1], text)
