"""Draws the panels of a Grafana dashboard as a page of HTML, from its JSON and from the answers to its queries.

It knows the two types of panels that the dashboard has, and of their options those that it sets.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

# Grafana's dark theme, and its classic palette.
COLORS = ("#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642", "#CCA300")
NAMED = {"green": "#73BF69", "red": "#F2495C", "blue": "#5794F2", "orange": "#FF9830", "purple": "#B877D9"}
STYLE = """
body { background: #111217; color: #ccccdc; font: 12px 'DejaVu Sans', sans-serif; margin: 0 }
body { padding: 10px; width: 1480px }
.grid { display: grid; gap: 8px; grid-auto-rows: 28px; grid-template-columns: repeat(24, 1fr) }
.panel { background: #181b1f; border: 1px solid #2c3235; border-radius: 2px; overflow: hidden; padding: 6px 10px }
.title { font-size: 13px; font-weight: 600 }
.value { font-size: 38px; font-weight: 600; padding-top: 14px; text-align: center }
.legend { line-height: 1.35; white-space: nowrap }
.legend span { display: inline-block; margin-right: 14px }
.legend i { border-radius: 2px; display: inline-block; height: 4px; margin-right: 5px; width: 14px }
h1 { font-size: 17px; font-weight: 600; margin: 2px 0 10px }
text { fill: #8e8e9c; font-size: 10px }
"""
# A line of a panel: its legend, and its points as (seconds since the start, value).
Line = tuple[str, list[tuple[float, float]]]
LEGEND_HEIGHT = 17
CELL_WIDTH, CELL_HEIGHT, LEFT, BOTTOM, TICKS = 61.0, 36.0, 46, 16, 4


def page(dashboard: dict[str, Any], answers: Sequence[list[Line]], seconds: float) -> str:
    """Return the page.

    Args:
        dashboard: The dashboard.
        answers: The lines of each panel, in their order.
        seconds: How long the time is that is shown.
    """
    panels = "".join(_panel(panel, lines, seconds) for panel, lines in zip(dashboard["panels"], answers, strict=True))
    return f"<style>{STYLE}</style><h1>{escape(dashboard['title'])}</h1><div class='grid'>{panels}</div>"


def _panel(panel: dict[str, Any], lines: list[Line], seconds: float) -> str:
    place, draw = panel["gridPos"], _stat if panel["type"] == "stat" else _lines
    area = f"grid-area: {place['y'] + 1} / {place['x'] + 1} / span {place['h']} / span {place['w']}"
    title = f"<div class='title'>{escape(panel['title'])}</div>"
    return f"<div class='panel' style='{area}'>{title}{draw(panel, lines, seconds)}</div>"


def _stat(panel: dict[str, Any], lines: list[Line], _: float) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    if not lines or not lines[0][1]:
        return "<div class='value'>No data</div>"
    value = lines[0][1][-1][1]
    color = [step["color"] for step in defaults["thresholds"]["steps"] if value >= (step["value"] or 0)][-1]
    return f"<div class='value' style='color:{NAMED.get(color, color)}'>{_shown(value, defaults['unit'])}</div>"


def _lines(panel: dict[str, Any], lines: list[Line], seconds: float) -> str:
    defaults, place = panel["fieldConfig"]["defaults"], panel["gridPos"]
    fixed = {
        each["matcher"]["options"]: each["properties"][0]["value"]["fixedColor"]
        for each in panel["fieldConfig"]["overrides"]
    }
    colors = [
        NAMED.get(fixed[name], fixed[name]) if name in fixed else COLORS[number % len(COLORS)]
        for number, (name, _) in enumerate(lines)
    ]
    width = place["w"] * CELL_WIDTH - 26
    height = place["h"] * CELL_HEIGHT - 48 - LEGEND_HEIGHT * _rows([name for name, _ in lines], width)
    stacked = defaults["custom"]["stacking"]["mode"] == "normal"
    tops: dict[float, float] = {}
    shapes = ""
    largest = max((value for _, points in lines for _, value in points), default=0.0)
    if stacked:
        for _, points in lines:
            for at, value in points:
                tops[at] = tops.get(at, 0.0) + value
        largest, tops = max(tops.values(), default=0.0), {}
    top = defaults.get("max") or _rounded(largest)

    def x(at: float) -> float:
        return LEFT + at / seconds * (width - LEFT)

    def y(value: float) -> float:
        return 4 + (1 - min(value / top, 1)) * (height - BOTTOM - 4)

    for number in range(TICKS + 1):
        value = top * number / TICKS
        shapes += f"<path d='M{LEFT} {y(value)}H{width}' stroke='#2c3235'/>"
        shapes += f"<text x='{LEFT - 6}' y='{y(value) + 4}' text-anchor='end'>{_shown(value, defaults['unit'])}</text>"
        at = seconds * number / TICKS
        shapes += f"<text x='{min(x(at), width - 14)}' y='{height - 2}' text-anchor='middle'>{_clock(at)}</text>"
    step = seconds / 100
    for (_, points), color in zip(lines, colors, strict=True):
        if stacked:
            for at, value in points:
                low = tops.get(at, 0.0)
                tops[at] = low + value
                shapes += (
                    f"<rect x='{x(at):.1f}' y='{y(low + value):.1f}' width='{x(step) - x(0) - 1:.1f}' "
                    f"height='{y(low) - y(low + value):.1f}' fill='{color}'/>"
                )
        else:
            path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
            shapes += f"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='1.8'/>"
    legend = "".join(
        f"<span><i style='background:{color}'></i>{escape(name)}</span>"
        for (name, _), color in zip(lines, colors, strict=True)
    )
    if not lines:
        shapes += f"<text x='{width / 2}' y='{height / 2}' text-anchor='middle'>No data</text>"
    svg = f"<svg width='{width}' height='{height}'>{shapes}</svg>"
    return f"{svg}<div class='legend' style='white-space:normal'>{legend}</div>"


def _rows(names: Sequence[str], width: float) -> int:
    """Return how many rows of the legend the names fill."""
    rows, left = 0, 0.0
    for name in names:
        needed = 7.2 * len(name) + 34
        if needed > left:
            rows, left = rows + 1, width
        left -= needed
    return rows


def _rounded(value: float) -> float:
    """Return the next larger value of one digit that ticks divide well."""
    if value <= 0:
        return 1.0
    power = 10.0 ** int(f"{value:e}".partition("e")[2])
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)


def _shown(value: float, unit: str) -> str:
    if unit == "percentunit":
        return f"{value * 100:.3g}%"
    if unit == "s" and value >= 60:
        return f"{value / 60:.2g} min"
    number = f"{value:.3g}" if value < 1000 else f"{value / 1000:.3g} K"
    return number + {"s": " s", "reqps": " req/s"}.get(unit, "")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def legend(template: str, labels: dict[str, str]) -> str:
    """Return a legend with the values of its labels."""
    return re.sub(r"{{(\w+)}}", lambda label: labels.get(label[1], ""), template).strip()
