"""Keep a screenshot in docs/images."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
COLORS = 128


def keep(png: bytes, name: str) -> None:
    """Write a picture to docs/images with few colors, which makes the file small."""
    path = IMAGES / f"{name}.png"
    path.write_bytes(png)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLORS)
    small.save(path, optimize=True)
    print(f"==> {path.relative_to(ROOT)}: {path.stat().st_size // 1024} kB", flush=True)
