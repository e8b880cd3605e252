"""Types that every part of the emulator uses."""

from __future__ import annotations

from typing import Any, Literal

JsonObject = dict[str, Any]
Cloud = Literal["alibaba", "tencent"]
