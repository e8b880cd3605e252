"""Write a report as a table for people, at any width, with or without colors. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from airflow_cloudtasks.doctor.permissions import as_json
from airflow_cloudtasks.doctor.report import Line, Outcome, Report, Section

_RESET, _BOLD = "\x1b[0m", "\x1b[1m"
_COLORS = {
    Outcome.OK: "\x1b[32m",
    Outcome.FAILED: "\x1b[1;31m",
    Outcome.UNKNOWN: "\x1b[33m",
    Outcome.NOT_TRIED: "\x1b[2m",
    Outcome.INFO: "",
}
# Words, so that the table says the same without colors.
_WORDS = {
    Outcome.OK: "ok",
    Outcome.FAILED: "FAILED",
    Outcome.UNKNOWN: "UNKNOWN",
    Outcome.NOT_TRIED: "not tried",
    Outcome.INFO: "",
}
# A server's own words must not control the terminal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_WORD_WIDTH = max(map(len, _WORDS.values()))
_TIME_WIDTH = 9
_LEAST_TEXT_WIDTH = 24
_MOST_NAME_WIDTH = 18


def table(report: Report, *, width: int, colored: bool) -> str:
    """Return a report as text that ends with a newline.

    Args:
        report: The report.
        width: The width of the terminal, in characters.
        colored: Whether to use the colors of a terminal.
    """
    return "\n".join(_Table(width, colored).lines(report)) + "\n"


class _Table:
    def __init__(self, width: int, colored: bool) -> None:
        self._width = max(width, _WORD_WIDTH + _TIME_WIDTH + _MOST_NAME_WIDTH + _LEAST_TEXT_WIDTH)
        self._colored = colored

    def lines(self, report: Report) -> Iterator[str]:
        for section in report.sections:
            yield from self._section(section)
            yield ""
        for policy in report.policies:
            yield self._painted(_BOLD, "Missing permissions")
            yield from self._wrapped(f"This policy grants them. Attach it to {policy.attach_to}:")
            yield ""
            # Not wrapped or indented: ready to paste.
            yield as_json(policy.document)
            yield ""
        yield from self._conclusion(report)

    def _section(self, section: Section) -> Iterator[str]:
        yield from (self._painted(_BOLD, line) for line in self._wrapped(section.title))
        names = min(max((len(line.name) for line in section.lines), default=0), _MOST_NAME_WIDTH)
        timed = any(line.milliseconds is not None for line in section.lines)
        for line in section.lines:
            yield from self._line(line, names, timed=timed)

    def _line(self, line: Line, names: int, *, timed: bool) -> Iterator[str]:
        word = self._painted(_COLORS[line.outcome], _WORDS[line.outcome].ljust(_WORD_WIDTH))
        time = _time(line.milliseconds) if timed else ""
        head = f"  {word}  {line.name.ljust(names)}  {time}"
        indent = 2 + _WORD_WIDTH + 2 + max(names, len(line.name)) + 2 + len(time)
        room = self._width - indent
        if room < _LEAST_TEXT_WIDTH:
            yield head.rstrip()
            indent = 2 + _WORD_WIDTH + 2
            room = self._width - indent
            head = " " * indent
        for text in filter(None, (line.text, _labelled("expected", line.expected), _labelled("mend", line.mend))):
            for written in _lines(text, room) or [""]:
                yield f"{head}{written}".rstrip()
                head = " " * indent

    def _conclusion(self, report: Report) -> Iterator[str]:
        failed = [line for line in report.lines if line.outcome is Outcome.FAILED]
        unknown = [line for line in report.lines if line.outcome is Outcome.UNKNOWN]
        if not failed and not unknown:
            yield from self._concluding(Outcome.OK, f"The connection {report.conn_id!r} works.")
            return
        counts = [f"{len(lines)} {word}" for lines, word in ((failed, "failed"), (unknown, "unknown")) if lines]
        text = f"The connection {report.conn_id!r}: {', '.join(counts)}."
        yield from self._concluding(Outcome.FAILED if failed else Outcome.UNKNOWN, text)
        # Once more at the end, where a long report leaves its reader: later failures often follow from the first one.
        first = (failed or unknown)[0]
        begin = f"Begin with {first.name}: {first.text}"
        for told in filter(None, (begin, _labelled("expected", first.expected), _labelled("mend", first.mend))):
            yield from self._wrapped(told)

    def _concluding(self, outcome: Outcome, text: str) -> Iterator[str]:
        yield from (self._painted(_COLORS[outcome], line) for line in self._wrapped(text))

    def _wrapped(self, text: str) -> Iterator[str]:
        yield from _lines(text, self._width)

    def _painted(self, color: str, text: str) -> str:
        return f"{color}{text}{_RESET}" if self._colored and color else text


def _lines(text: str, width: int) -> list[str]:
    wrapped = textwrap.wrap(_CONTROL.sub(" ", text), width, break_on_hyphens=False, break_long_words=False)
    return [part for line in wrapped for part in _parts(line, width)]


def _parts(line: str, width: int) -> Iterator[str]:
    """Yield a line in parts that fit. A path or a URL is broken after a slash, so that its names stay whole."""
    while len(line) > width:
        end = line.rfind("/", 0, width) + 1 or width
        yield line[:end]
        line = line[end:]
    yield line


def _labelled(label: str, text: str | None) -> str | None:
    return text and f"{label}: {text}"


def _time(milliseconds: float | None) -> str:
    shown = "" if milliseconds is None else f"{milliseconds:.0f} ms"
    return shown.rjust(_TIME_WIDTH - 2) + "  "
