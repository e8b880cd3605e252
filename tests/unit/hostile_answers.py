"""Answers that no vendor documents: the documented examples with fields, texts, envelopes and bytes broken at random.

:func:`hostile_answers` yields the same answers for the same seed. Nothing here is of the package, and what an
answer says is judged in ``independent_reader.py``.
"""

from __future__ import annotations

import copy
import gzip
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MEGABYTE = 1_000_000

# Each of these is rare, so that the answers stay small on average.
_HUGE: tuple[Callable[[], Any], ...] = (
    lambda: "x" * MEGABYTE,
    lambda: " " * MEGABYTE,
    lambda: "\u0000" * (MEGABYTE // 6),
    lambda: '\\"' * (MEGABYTE // 4),
    lambda: "{" * (MEGABYTE // 2),
    lambda: '{"a":' * (MEGABYTE // 8),
    lambda: "server string to sign is" + " server string" * (MEGABYTE // 16),
    lambda: "1" * MEGABYTE,
    lambda: list(range(MEGABYTE // 8)),
    lambda: {str(number): None for number in range(MEGABYTE // 16)},
    lambda: [{"Status": "FAILED"}] * (MEGABYTE // 24),
)
_TEXTS = (
    *("", " ", "null", "0", "-1", "None", "\u0000", "a\u0000b", "\ud800", "\udfff x", "\u200b", "\ufeff", "\ufffd"),
    *("任务 正在运行", "\x07bell", "two\nlines", '{"a":1}', '"[1]"', "{", "[[", '{"a":NaN}', '{\\"a\\":1}', "²", "٣"),
    *("2026-13-45", "9999-12-31 23:59:59", "0001-01-01", "1e999", "nan", "1_000", "%s %(x)s {x}", "../../x", "<b>"),
)
_SCALARS = (
    *(None, True, False, 0, -1, 1, 100, 1.5, 1e308, 2**63, 2**64, 10**30, 10**400, float("nan"), float("inf")),
    *([], {}, [None], [[]], {"": None}, {"Status": "SUCCESS"}),
)
_STATUS_LIKE = ("status", "statusstr", "state", "percent", "progress", "code", "error", "conclusion")


@dataclass(frozen=True)
class Sent:
    """An answer as it is sent: the HTTP status, the headers and the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    mutations: tuple[str, ...]


def hostile_answers(example: Any, words: list[str], chance: random.Random, count: int) -> Iterator[Sent]:
    """Yield answers that differ from an example in one to four ways.

    Args:
        example: The decoded answer of the vendor, with its envelope.
        words: Statuses of the API.
        chance: The source of all randomness.
        count: How many to yield.
    """
    for _ in range(count):
        tree: Any = copy.deepcopy(example)
        mutations: list[str] = []
        for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3))):
            mutation = chance.choice((_field, _field, _field, _status, _status, _status, _envelope))
            tree = mutation(tree, words, chance, mutations)
        body = _written(tree, chance)
        if chance.random() < 0.3:
            body = _broken(body, words, chance, mutations)
        status, headers = _http(chance, mutations)
        yield Sent(status, headers, body, tuple(mutations))


def _places(tree: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield each object or list with each of its keys."""
    if depth > 8:
        return
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield tree, key
            yield from _places(value, depth + 1)
    elif isinstance(tree, list):
        for index, value in enumerate(tree[:5]):
            yield tree, index
            yield from _places(value, depth + 1)


def _nested(levels: int, chance: random.Random) -> Any:
    value: Any = chance.choice((None, 1, "deep"))
    for _ in range(levels):
        value = [value] if chance.random() < 0.5 else {"a": value}
    return value


def _value(chance: random.Random) -> Any:
    if chance.random() < 0.004:
        return chance.choice(_HUGE)()
    match chance.randrange(6):
        case 0:
            return chance.choice(_TEXTS)
        case 1 | 2:
            return copy.deepcopy(chance.choice(_SCALARS))
        case 3:
            return _nested(chance.choice((1, 5, 60, 101, 150)), chance)
        case 4:
            return "".join(chr(chance.choice((chance.randrange(128), chance.randrange(0xFFFF)))) for _ in range(9))
        case _:
            return chance.randrange(-(10**6), 10**13)


def _field(tree: Any, words: list[str], chance: random.Random, mutations: list[str]) -> Any:
    places = list(_places(tree))
    if not places:
        return tree
    holder, key = chance.choice(places)
    what = chance.choice(("drop", "null", "retype", "replace", "replace", "wrap", "rename", "embed"))
    mutations.append(f"{what} {key}")
    value = holder[key]
    match what:
        case "drop":
            del holder[key]
        case "null":
            holder[key] = None
        case "retype":
            holder[key] = chance.choice((str(value), [value], {"Value": value}, value is not None, 7))
        case "replace":
            holder[key] = _value(chance)
        case "wrap":
            holder[key] = {key: value} if isinstance(key, str) else [value, value]
        case "rename" if isinstance(holder, dict):
            holder[chance.choice((key.lower(), key.upper(), key + " ", key + "\u0000", ""))] = holder.pop(key)
        case "embed":
            holder[key] = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    return tree


def _status(tree: Any, words: list[str], chance: random.Random, mutations: list[str]) -> Any:
    """Change a field that tells how a task goes."""
    places = [
        (holder, key) for holder, key in _places(tree) if isinstance(key, str) and key.lower().endswith(_STATUS_LIKE)
    ]
    if not places:
        return _field(tree, words, chance, mutations)
    holder, key = chance.choice(places)
    word = chance.choice(words)
    spoilt = chance.choice(
        ("\u200b", "\u0000", "\u00ad", "!", "\ufeff", "\x1f", "\ud800", "\u0130", "\u017f", "\u212a")
    )
    holder[key] = chance.choice(
        (
            *(word, word, word, word.lower(), word.upper(), word.swapcase(), f" {word} ", f"\t{word}\r\n"),
            *(f"\u00a0{word}", f"{word}{spoilt}", f"{spoilt}{word}", word[:2] + spoilt + word[2:], word[:-1]),
            *([word], {"Status": word}, {word: word}, [word, word], None, "", " ", True, 1, 0.0, "SUCCESSFUL"),
            *("UNKNOWN", "FINISHED", 100, "100", 100.0, 99.999, 101, "100.0", "1e2", -100, 250, "100%", word * 2),
        )
    )
    mutations.append(f"{key} = {holder[key]!r:.40}")
    return tree


def _error(chance: random.Random) -> dict[str, Any]:
    code = chance.choice(
        (
            "Throttling.User",
            "InternalError",
            "NoPermission",
            "RequestLimitExceeded",
            "New",
            "OK",
            "200",
            500,
            None,
            [],
            "",
        )
    )
    message = chance.choice(("slow down", None, "", 7, ["x"], "\ud800\u0000", {"a": 1}))
    names = chance.choice((("Code", "Message"), ("code", "message"), ("ErrorCode", "ErrorMessage")))
    return dict(zip(names, (code, message), strict=True))


def _envelope(tree: Any, words: list[str], chance: random.Random, mutations: list[str]) -> Any:
    """Report an error inside the answer, in its place, or break its envelope."""
    content = tree.get("Response") if isinstance(tree, dict) else None
    holder = content if isinstance(content, dict) else tree
    error = _error(chance)
    what = chance.randrange(9)
    mutations.append(f"envelope {what}")
    if not isinstance(holder, dict):
        return {"Response": error} if chance.random() < 0.5 else error
    match what:
        case 0:
            holder["Error"] = error
        case 1:
            holder.update(error)
        case 2:
            holder["Success"] = chance.choice((True, False, "false", "true", 0, None))
        case 3:
            return {"Response": {"Error": error, "RequestId": "r"}}
        case 4:
            return {**error, "RequestId": "r", "Success": chance.choice((True, False, None))}
        case 5:
            return chance.choice(
                ({"Response": None}, {"Response": [tree]}, {"response": tree}, [tree], {}, None, "x", 7)
            )
        case 6:
            holder["Error"] = chance.choice((None, {}, [], "", {"Code": None, "Message": None}, "broken", 7))
        case 7:
            return {"Response": tree}
        case _:
            holder["RequestId"] = chance.choice((None, 7, [], {"a": 1}, "x" * 5000, "\u0000"))
    return tree


def _written(tree: Any, chance: random.Random) -> bytes:
    written = json.dumps(tree, ensure_ascii=chance.random() < 0.5, indent=chance.choice((None, None, 1)))
    return written.encode("utf-8", "surrogatepass")


def _broken(body: bytes, words: list[str], chance: random.Random, mutations: list[str]) -> bytes:
    what = chance.randrange(17)
    mutations.append(f"bytes {what}")
    at = chance.randrange(len(body) + 1)
    match what:
        case 0:
            return body[:at]
        case 1:
            return body[:at] + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 4))) + body[at:]
        case 2:
            return body[:at] + body[at + 1 :]
        case 3:
            return chance.choice((b"\xef\xbb\xbf", b"\x00", b"\r\n", b"\xff\xfe", b")]}'\n")) + body
        case 4:
            return body + chance.choice((b"\x00", b"\n\n", b"garbage", b"}", b"</html>", body, b"\xff"))
        case 5:
            return body.decode("utf-8", "replace").encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig")))
        case 6:
            return body.decode("utf-8", "replace").encode("gb18030")
        case 7:
            return chance.choice(
                (b"", b"null", b"<html><body>502</body></html>", b"[]", b"0", b"{", b'"', gzip.compress(body))
            )
        case 8:  # the same key twice
            word = json.dumps(chance.choice((*words, None, "x"))).encode()
            return b"{" + b'"Status":' + word + b"," + body[1:] if body[:1] == b"{" else body
        case 9:
            return body.replace(b'"Status"', b'"Status": "x", "Status"', 1)
        case 10:
            return body.replace(b": ", chance.choice((b":\x00", b":\t", b"=", b":\xa0")), 1)
        case 11:  # raw bytes inside a text
            return body.replace(
                b'": "', b'": "' + chance.choice((b"\xfd\xb1", b"\x07", b"\x00", b"\n", b"\\x", b"\xc3")), 1
            )
        case 12:  # a long number
            return body.replace(b": ", b": " + b"9" * chance.choice((20, 400, 5000)) + b', "x": ', 1)
        case 13:
            levels = chance.choice((50, 500, 5000))
            return body.replace(b": ", b": " + b"[" * levels + b"]" * levels + b', "x": ', 1)
        case 14:  # a bit
            position = min(at, len(body) - 1)
            return body[:position] + bytes([body[position] ^ (1 << chance.randrange(8))]) + body[position + 1 :]
        case 15:
            return body.replace(b'"', b"'") if chance.random() < 0.5 else body.replace(b"}", b",}")
        case _:
            if chance.random() > 0.1:
                return body.replace(b", ", b",\x0b ", 1)
            return chance.choice(
                (b"[" * MEGABYTE, b'{"a":' * (MEGABYTE // 5), b"\xff" * MEGABYTE, b'{"' + b'\\"' * (MEGABYTE // 2))
            )


def _http(chance: random.Random, mutations: list[str]) -> tuple[int, dict[str, str]]:
    status = (
        200 if chance.random() < 0.85 else chance.choice((201, 204, 302, 400, 401, 403, 404, 408, 429, 500, 502, 503))
    )
    if status != 200:
        mutations.append(f"HTTP {status}")
    headers = {"Content-Type": chance.choice(("application/json", "text/html", "application/json; charset=gbk", ""))}
    if chance.random() < 0.1:
        headers["Retry-After"] = chance.choice(("3", "-1", "soon", "²", "9" * 5000, "Wed, 21 Oct 2015 07:28:00 GMT"))
    return status, headers
