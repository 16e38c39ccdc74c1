"""Many small cells as one picture inside a chart: a PNG of a few kilobytes."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import TYPE_CHECKING

from fanin.report.svg.element import element

if TYPE_CHECKING:
    from collections.abc import Sequence

Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


def png(pixels: Sequence[Sequence[Colour]]) -> bytes:
    r"""Give a PNG file (8-bit RGB, no filter) of rows of pixels, top row first.

    >>> png([[(0, 0, 0)]])[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    raw = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in pixels)
    header = struct.pack(">IIBBBBB", len(pixels[0]), len(pixels), 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def picture(
    pixels: Sequence[Sequence[Colour]], x: float, y: float, width: float, height: float
) -> str:
    """Lay rows of pixels, top row first, into a box of a chart with sharp edges."""
    code = base64.b64encode(png(pixels)).decode("ascii")
    return element(
        "image", x=float(x), y=float(y), width=float(width), height=float(height),
        href=f"data:image/png;base64,{code}", preserveAspectRatio="none",
        style="image-rendering:pixelated",
    )  # fmt: skip
