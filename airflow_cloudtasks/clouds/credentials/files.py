"""Read files that people and vendors' tools write: any byte order mark, and errors that say what is wrong."""

from __future__ import annotations

import codecs
import configparser
import json
import os
from collections.abc import Mapping
from typing import Any

from airflow_cloudtasks.values import plain

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unusable(Exception):
    """A file cannot be used. The text names the file and what is wrong with it, and repeats nothing of its content."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} {why}")


def home() -> str:
    """Return the home directory, found as the vendors' tools find it."""
    return os.environ.get("HOME") or os.environ.get("HOMEPATH") or os.path.expanduser("~")


def read_text(path: str) -> str | None:
    """Return the text of a file; None if there is no such file.

    Args:
        path: The file's path.

    Raises:
        Unusable: It cannot be read, it is empty, or it is no text.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise Unusable(path, f"cannot be read ({type(error).__name__})") from None
    try:
        text = content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        raise Unusable(path, "is no text in UTF-8") from None
    if not text.strip():
        raise Unusable(path, "is empty")
    return text


def read_json(path: str) -> dict[str, Any] | None:
    """Return the JSON object in a file; None if there is no such file.

    Args:
        path: The file's path.

    Raises:
        Unusable: The file holds no JSON object.
    """
    if (text := read_text(path)) is None:
        return None
    try:
        decoded = json.loads(text)
    except json.JSONDecodeError as error:
        raise Unusable(path, f"is not JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise Unusable(path, "is nested too deeply") from None
    except ValueError:
        raise Unusable(path, "has a number of thousands of digits") from None
    if not isinstance(decoded, dict):
        raise Unusable(path, "holds no JSON object")
    # Its texts become parts of requests, which cannot hold the lone surrogates of JSON.
    content: dict[str, Any] = plain(decoded)
    return content


def read_ini(path: str, section: str) -> Mapping[str, str] | None:
    """Return a section of an ini file; None if there is no such file.

    Args:
        path: The file's path.
        section: The name of the section.

    Raises:
        Unusable: The file is no ini file, or it has no such section.
    """
    if (text := read_text(path)) is None:
        return None
    # Raw: a secret may hold a percent sign.
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.Error as error:
        # Only the line's number: the line may hold a secret.
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), None)
        where = f" (line {line})" if line else ""
        raise Unusable(path, f"is no ini file of [section] and name = value lines{where}") from None
    if not parser.has_section(section):
        others = ", ".join(f"[{name}]" for name in parser.sections())
        raise Unusable(path, f"has no section [{section}]" + (f"; it has {others}" if others else ""))
    return {name: value or "" for name, value in parser.items(section)}
