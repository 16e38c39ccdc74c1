"""The inline picture is a PNG that any reader accepts, with the colours asked for."""

from __future__ import annotations

import struct
import zlib

import pytest

from fanin.report.svg import Frame, heat_map
from fanin.report.svg.heat_map import CIVIDIS, MISSING, colour
from fanin.report.svg.raster import png


def decoded(content):
    """Read a PNG by the book: chunks, checksums, rows without a filter."""
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    place, chunks = 8, {}
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kind = content[place + 4 : place + 8]
        body = content[place + 8 : place + 8 + length]
        (check,) = struct.unpack(
            ">I", content[place + 8 + length : place + 12 + length]
        )
        assert check == zlib.crc32(kind + body)
        chunks[kind] = body
        place += 12 + length
    width, height, depth, kind = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    raw = zlib.decompress(chunks[b"IDAT"])
    assert (depth, kind) == (8, 2)
    rows = [raw[i : i + 1 + 3 * width] for i in range(0, len(raw), 1 + 3 * width)]
    assert len(rows) == height
    assert {row[0] for row in rows} == {0}
    return [[tuple(r[1 + 3 * i : 4 + 3 * i]) for i in range(width)] for r in rows]


def test_a_picture_holds_the_pixels_it_was_given():
    pixels = [[(1, 2, 3), (4, 5, 6)], [(7, 8, 9), (250, 251, 252)]]

    assert decoded(png(pixels)) == pixels


def test_colours_grow_lighter_all_along():
    greys = [
        0.2126 * r + 0.7152 * g + 0.0722 * b
        for r, g, b in (colour(k / 100) for k in range(101))
    ]

    assert greys == sorted(greys)


@pytest.mark.parametrize(
    ("share", "expected"), [(-1.0, CIVIDIS[0]), (2.0, CIVIDIS[-1])]
)
def test_a_share_out_of_range_takes_the_end(share, expected):
    assert colour(share) == expected


def test_a_missing_value_has_a_colour_of_its_own():
    assert colour(float("nan")) == MISSING
    assert MISSING not in {colour(k / 1000) for k in range(1001)}


def test_eighteen_thousand_cells_stay_small():
    values = [[(i * j) % 7 / 7 for i in range(300)] for j in range(60)]
    frame = Frame(title="t", description="d", x_label="layer", y_label="bin")

    assert len(heat_map(values, frame, value_label="share")) < 20_000
