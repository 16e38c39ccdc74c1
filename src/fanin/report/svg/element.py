"""SVG elements as text: escaped, with short numbers."""

from __future__ import annotations

import html
import zlib

FONT = 13  # size of text in a drawing's own units


def short(value: float) -> str:
    """Give a coordinate with at most two decimals.

    >>> short(3.0), short(2.456)
    ('3', '2.46')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(tag: str, *children: str, **attributes: object) -> str:
    """Give one element; ``stroke_width`` is written ``stroke-width``.

    Args:
        tag: its name.
        children: markup already escaped.
        attributes: floats are shortened, None is left out, a final ``_`` dropped.

    >>> element("circle", cx=1.0, r=2.5, class_="dot")
    '<circle cx="1" r="2.5" class="dot"/>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if not children:
        return f"<{tag}{written}/>"
    return f"<{tag}{written}>{''.join(children)}</{tag}>"


def _value(value: object) -> str:
    if isinstance(value, float):
        return short(value)
    return html.escape(str(value))


def text(words: str, x: float, y: float, **attributes: object) -> str:
    """Give text at a point; ``fill`` is the ink unless said otherwise.

    >>> text("a < b", 1, 2, fill="red")
    '<text x="1" y="2" font-size="13" fill="red">a &lt; b</text>'
    """
    usual: dict[str, object] = {"font_size": FONT, "fill": "var(--ink)"}
    return element(
        "text", html.escape(words, quote=False), x=float(x), y=float(y),
        **(usual | attributes),
    )  # fmt: skip


def line(x1: float, y1: float, x2: float, y2: float, **attributes: object) -> str:
    """Give a straight line, thin and quiet unless said otherwise."""
    usual: dict[str, object] = {"stroke": "var(--line)", "stroke_width": 1}
    return element(
        "line", x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2),
        **(usual | attributes),
    )  # fmt: skip


def drawing(
    *parts: str, width: float, height: float, title: str, description: str
) -> str:
    """Give the whole drawing, named and described for who cannot see it.

    Args:
        parts: markup of its elements.
        width: of the view box; on a page it is as wide as its place.
        height: of the view box.
        title: what it is.
        description: what it shows, in a sentence or two.
    """
    body = "".join(parts)
    mark = format(zlib.crc32(f"{title}{description}{body}".encode()), "08x")
    return element(
        "svg",
        element("title", html.escape(title, quote=False), id=f"t{mark}"),
        element("desc", html.escape(description, quote=False), id=f"d{mark}"),
        body,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {short(width)} {short(height)}",
        role="img",
        aria_labelledby=f"t{mark} d{mark}",
        font_family="inherit",
    )


def width_of(words: str, size: float = FONT) -> float:
    """Estimate how wide a text is, in the drawing's units; a little too wide.

    >>> width_of("glorot") < width_of("glorot_normal")
    True
    """
    narrow = sum(letter in "ijlt.,:;|!'()[] " for letter in words)
    return size * (0.64 * (len(words) - narrow) + 0.38 * narrow)
