"""Read what can be read of a JSON object that a strict decoder rejects. Pure.

Vendors send free texts of their users as they got them: bytes that are not UTF-8, raw control characters, numbers that
no computer holds. One such text must not hide a task's status. What is damaged is replaced, never left out, so that no
text becomes equal to another one: a status that is itself damaged is an unknown status.

An object that is cut off is not repaired: its end may hold what matters.
"""

from __future__ import annotations

import json
import re
from typing import Any

from airflow_cloudtasks.values import LENIENT_DECODER, MAX_DEPTH, plain

_PADDING = "\ufeff\x00 \t\r\n"
# Tabs and line breaks inside a text are rejected by JSON too, but they need no replacement.
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})?')
# A text, also one without its end; or a run of brackets. Every quote is part of a match, so that a search is linear.
_TEXT_OR_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[{]+|[\]}]+', re.DOTALL)


def read_damaged(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object at the start of a body.

    These are tolerated: bytes that are not UTF-8 and control characters (U+FFFD replaces them), UTF-16 and UTF-32, a
    byte order mark, NULs and blanks around the object, anything after it, wrong escapes, and levels of nesting that
    Python cannot decode (they become None).

    Args:
        body: The body.

    Returns:
        The object, as :func:`airflow_cloudtasks.values.plain` returns it; None if there is none.
    """
    for encoding in dict.fromkeys(("utf-8", json.detect_encoding(body))):
        document = _CONTROL_CHARACTER.sub("\ufffd", body.decode(encoding, "replace").strip(_PADDING))
        if (found := _object(document)) is not None:
            return found
    return None


def _object(document: str) -> dict[str, Any] | None:
    if not document.startswith("{"):
        return None
    tried = ""
    for mend in (str, _with_valid_escapes, _shallow):
        if (document := mend(document)) == tried:
            continue
        tried = document
        try:
            decoded, _ = LENIENT_DECODER.raw_decode(document)
        except (ValueError, RecursionError):
            continue
        found: dict[str, Any] = plain(decoded)
        return found
    return None


def _with_valid_escapes(document: str) -> str:
    r"""Return a document in which each backslash that escapes nothing stands for itself, as in ``"C:\data"``."""
    return _ESCAPE.sub(lambda escape: escape[0] if escape[1] else r"\\", document)


def _shallow(document: str) -> str:
    """Return a document with null in place of everything that is nested too deeply."""
    if document.count("{") + document.count("[") <= MAX_DEPTH:
        return document
    kept: list[str] = []
    depth = begin = 0
    for match in _TEXT_OR_BRACKETS.finditer(document):
        start, end = match.span()
        match document[start]:
            case '"':
                pass
            case "{" | "[":
                if depth <= MAX_DEPTH < depth + end - start:
                    kept += document[begin : start + MAX_DEPTH - depth], "null"
                depth += end - start
            case _:
                depth -= end - start
                if depth <= MAX_DEPTH < depth + end - start:
                    begin = end - (MAX_DEPTH - depth)
    return "".join((*kept, document[begin:] if depth <= MAX_DEPTH else ""))
