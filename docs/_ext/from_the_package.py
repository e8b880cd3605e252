"""Sphinx directives that write parts of the documentation from the package itself.

``connection-fields`` lists the fields of a connection type as provider.yaml declares them. ``error-tree`` draws the
hierarchy of :mod:`airflow_cloudtasks.errors`. ``drawing`` puts an SVG file into the page, where it takes the colors
of the page's light or dark theme. The page ``changelog`` is CHANGELOG.md.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

from airflow_cloudtasks import errors
from airflow_cloudtasks.get_provider_info import connection_type

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Pixels of the drawing of errors; a line beside a box has room for some characters.
ROW, INDENT, BOX_HEIGHT, BOX_WIDTH, NOTE_CHARACTERS = 38, 30, 28, 178, 82
STANDARD_FIELDS = {"login": "Login", "password": "Password", "host": "Host", "port": "Port"}


class ConnectionFields(SphinxDirective):
    """List the fields of the connection type that the argument names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return a table with a row for each field."""
        declared = connection_type(self.arguments[0])
        labels, hints = (declared["ui-field-behaviour"][part] for part in ("relabeling", "placeholders"))
        rows = [
            (f"**{labels[name]}**", f"field {standard}", hints.get(name, ""))
            for name, standard in STANDARD_FIELDS.items()
        ]
        rows += [
            (f"**{field['label']}**", f"Extra `{name}`", _described(field))
            for name, field in declared["conn-fields"].items()
        ]
        lines = ["| In the form | Stored in | Meaning |", "| --- | --- | --- |"]
        lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
        return self.parse_text_to_nodes("\n".join(lines))


def _described(field: dict[str, Any]) -> str:
    choices = field["schema"].get("enum")
    return field["description"] + (f" One of {', '.join(f'`{choice}`' for choice in choices)}." if choices else "")


class ErrorTree(SphinxDirective):
    """Draw the classes of errors, each beneath its base class."""

    def run(self) -> list[nodes.Node]:
        """Return the drawing as inline SVG."""
        return [_figure(draw_errors(errors.CloudTasksError), "Each error beneath its base class.")]


def draw_errors(root: type[Exception]) -> str:
    """Return an SVG of an exception class and its subclasses.

    Args:
        root: The class at the top.
    """
    rows: list[tuple[type[Exception], int, int]] = []

    def place(kind: type[Exception], depth: int, parent: int) -> None:
        own = len(rows)
        rows.append((kind, depth, parent))
        for child in kind.__subclasses__():
            if child.__module__ == errors.__name__:
                place(child, depth + 1, own)

    place(root, 0, -1)
    shapes = []
    for row, (kind, depth, parent) in enumerate(rows):
        left, top = 4 + depth * INDENT, 4 + row * ROW
        middle = top + BOX_HEIGHT / 2
        if parent >= 0:
            stem = 4 + (depth - 1) * INDENT + 16
            shapes.append(f'<path class="line" d="M{stem} {4 + parent * ROW + BOX_HEIGHT}V{middle}H{left}"/>')
        shapes.append(f'<rect class="box" x="{left}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="5"/>')
        shapes.append(f'<text class="name" x="{left + 10}" y="{middle + 5}">{escape(kind.__name__)}</text>')
        summary = shorten(
            re.split(r"[;:.]", (kind.__doc__ or "").partition("\n")[0])[0], NOTE_CHARACTERS, placeholder=" …"
        )
        shapes.append(f'<text class="note" x="{left + BOX_WIDTH + 12}" y="{middle + 5}">{escape(summary)}</text>')
    height = len(rows) * ROW
    return (
        f'<svg class="errors" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 820 {height}" role="img">'
        f"{''.join(shapes)}</svg>"
    )


class Drawing(SphinxDirective):
    """Show the SVG file that the argument names, relative to docs/images; its caption is the option ``caption``."""

    required_arguments = 1
    option_spec = {"caption": directives.unchanged_required}  # noqa: RUF012 - as docutils declares it

    def run(self) -> list[nodes.Node]:
        """Return the drawing as inline SVG."""
        path = Path(self.env.srcdir) / "images" / self.arguments[0]
        self.env.note_dependency(str(path))
        return [_figure(path.read_text("utf-8"), self.options["caption"])]


def _figure(svg: str, caption: str) -> nodes.Node:
    html = f'<figure class="drawing">{svg}<figcaption>{escape(caption)}</figcaption></figure>'
    return nodes.raw("", html, format="html")


def show_changelog(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put CHANGELOG.md in the place of the page ``changelog``; its links to files of the repository become names."""
    if docname == "changelog":
        text = (Path(app.srcdir).parent / "CHANGELOG.md").read_text("utf-8")
        text = re.sub(r"^## \[([^\]]+)\]", r"## \1", text, flags=re.MULTILINE)
        source[0] = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]+\)", r"`\1`", text)


def let_long_words_wrap(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """Allow a line break inside the long names in tables: at a hump, and after a dot, a colon or an underscore."""

    def cell(found: re.Match[str]) -> str:
        return re.sub(r"(?<=>)[^<]+", lambda text: re.sub(r"[\w.:]{12,}", word, text[0]), found[0])

    def word(found: re.Match[str]) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[_.:])(?=\w)", "<wbr>", found[0])

    if "body" in context:
        context["body"] = re.sub(r"<td>.*?</td>", cell, context["body"], flags=re.DOTALL)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives with Sphinx."""
    app.add_directive("connection-fields", ConnectionFields)
    app.add_directive("error-tree", ErrorTree)
    app.add_directive("drawing", Drawing)
    app.connect("source-read", show_changelog)
    app.connect("html-page-context", let_long_words_wrap)
    return {"parallel_read_safe": True}
