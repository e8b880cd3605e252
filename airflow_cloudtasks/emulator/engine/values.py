"""Types that every part of the emulator uses."""

from __future__ import annotations

from typing import Any, Literal, get_args

JsonObject = dict[str, Any]
Cloud = Literal["alibaba", "tencent"]
CLOUDS: tuple[Cloud, ...] = get_args(Cloud)
