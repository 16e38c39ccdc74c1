"""The net with its numbers: what flows forward, what comes back, what an update adds.

Everything that changes carries a key (``data-k`` of all samples, ``data-s`` of the one
shown) or a class, so that the player changes texts and classes and draws nothing.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from fanin.derivation.notation import Entry
from fanin.lab.lessons.stepping.names import place
from fanin.lab.lessons.stepping.places import Places
from fanin.report.svg.element import element, short, text
from fanin.report.svg.style import style_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fanin.derivation.net import Net
    from fanin.lab.lessons.stepping.frames import Number, Played

RADIUS = 34.0
SMALL = 14


def picture(
    net: Net,
    moment: Played,
    *,
    blocks: Mapping[int, tuple[tuple[int, ...], ...]],
    frozen: tuple[str, ...],
    words: str,
) -> str:
    """Draw one moment, the first sample flowing.

    Args:
        net: what is drawn.
        moment: what `frames.moment_of` gave.
        blocks: by hidden layer, the units that are proved to stay equal.
        frozen: arrays that are proved never to move.
        words: what the picture is, for who cannot see it.
    """
    places = Places(net.widths)
    weights = [e for e in net.entries if not e.is_bias]
    edges = [_edge(places, e, moment, is_frozen=e.tensor in frozen) for e in weights]
    labels = [
        _label(at, e, moment, is_frozen=e.tensor in frozen)
        for e, at in places.labels(weights).items()
    ]
    units = [
        _unit(places, net, (layer, j), moment, blocks)
        for layer in range(len(net.widths))
        for j in net.units(layer)
    ]
    return element(
        "svg",
        *edges,
        *units,
        *[_bracket(places, layer, blocks) for layer in blocks],
        *labels,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {short(places.width)} {short(places.height)}",
        width=short(places.width),
        height=short(places.height),
        role="group",
        aria_label=words,
        class_="net",
        data_phase="forward",
        font_family="inherit",
    )


def _edge(places: Places, entry: Entry, moment: Played, *, is_frozen: bool) -> str:
    x1, y1, x2, y2 = places.ends(entry)
    key = place(entry)
    looked = moment["looks"][key]
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    hit = element("line", class_="hit", **ends)
    stroke = element("line", class_=f"edge {looked}", data_look=key, **ends)
    flow = element(
        "line",
        class_="flow",
        data_flow=key,
        data_from=f"a{entry.layer - 1}.{entry.i}",
        data_to=f"e{entry.layer}.{entry.j}",
        **ends,
    )
    frozen = " frozen" if is_frozen else ""
    return element(
        "g",
        hit,
        stroke,
        flow,
        class_=f"weight{frozen}",
        data_entry=key,
        tabindex=0,
        role="img",
        aria_label=str(entry),
    )


def _label(
    at: tuple[float, float], entry: Entry, moment: Played, *, is_frozen: bool
) -> str:
    x, y = at
    key = place(entry)
    value = number(key, moment["all"][key])
    lock = tspan(" never moves", class_="never") if is_frozen else ""
    first = line_of(f"{entry} = ", value, x, y - 8, class_="value halo")
    return first + _second_line(entry, moment, x, y + 16) + _lock(lock, x, y + 16)


def _lock(lock: str, x: float, y: float) -> str:
    if not lock:
        return ""
    return element(
        "text", lock, x=x, y=y, font_size=12, text_anchor="middle", class_="locked halo"
    )


def _second_line(entry: Entry, moment: Played, x: float, y: float) -> str:
    """Give the line under a parameter: its gradient, or its change."""
    key = place(entry)
    first = moment["samples"][0]
    gradient = number(f"g:{key}", first[f"g:{key}"], of_sample=True)
    change = number(f"D:{key}", moment["all"][f"D:{key}"])
    return line_of(
        f"dL/d{entry} = ", gradient, x, y, class_="only backward halo"
    ) + line_of("Δ = ", change, x, y, class_="only update halo")


def _unit(
    places: Places,
    net: Net,
    unit: tuple[int, int],
    moment: Played,
    blocks: Mapping[int, tuple[tuple[int, ...], ...]],
) -> str:
    layer, j = unit
    x, y = places.unit(layer, j)
    first = moment["samples"][0]
    key = f"{layer}.{j}"
    is_hidden = 0 < layer < net.n_layers
    colour = _colour(layer, j, blocks)
    zero = " zero" if first[f"a{key}"][1] == "0" else ""
    parts = [
        element(
            "circle",
            cx=x,
            cy=y,
            r=RADIUS,
            class_=f"unit{zero}",
            data_zero=f"a{key}",
            stroke=colour if is_hidden else "var(--ink)",
        )
    ]
    if is_hidden:
        parts.append(
            element(
                "circle",
                cx=x,
                cy=y,
                r=RADIUS - 2,
                class_="tint",
                fill=colour,
                opacity=0.16,
            )
        )
    inside = number(f"a{key}", first[f"a{key}"], of_sample=True)
    parts.append(
        element(
            "text",
            inside,
            x=x,
            y=y + 5,
            font_size=15,
            font_weight=600,
            text_anchor="middle",
            fill="var(--ink)",
        )
    )
    parts += _around(net, unit, (x, y), moment, first)
    return element("g", *parts, class_="neuron", data_unit=key)


def _around(
    net: Net,
    unit: tuple[int, int],
    at: tuple[float, float],
    moment: Played,
    first: Mapping[str, Number],
) -> list[str]:
    """Give a unit's name, its z, its bias and what comes back to it."""
    layer, j = unit
    x, y = at
    key = f"{layer}.{j}"
    lift, below = y - RADIUS - 8, y + RADIUS + 18
    if layer == 0:
        return [text(f"x{_sub(j)}", x, lift, font_size=SMALL, text_anchor="middle")]
    found = []
    if layer < net.n_layers:
        own = f"{_sub(layer)}{_sub(j)}"
        z = number(f"z{key}", first[f"z{key}"], of_sample=True)
        slope = number(f"s{key}", first[f"s{key}"], of_sample=True)
        back = number(f"u{key}", first[f"u{key}"], of_sample=True)
        found += [
            line_of(f"z{own} = ", z, x, lift, class_="only forward halo over"),
            line_of(f"dL/da{own} = ", back, x, lift, class_="only backward halo over"),
            line_of(
                f"φ′(z{own}) = ", slope, x, lift - 17, class_="only backward halo slope"
            ),
        ]
        if f"m{key}" in moment["all"]:
            mask = number(f"m{key}", moment["all"][f"m{key}"])
            found.append(line_of("mask ", mask, x, lift - 17, class_="mask halo"))
    else:
        error = number(f"e{key}", first[f"e{key}"], of_sample=True)
        wanted = number(f"y{j}", first[f"y{j}"], of_sample=True)
        head = "dL/dŷ = " if net.loss.output == "linear" else "dL/dz = "
        found += [
            text("ŷ", x, lift, font_size=SMALL, text_anchor="middle"),
            line_of(head, error, x, lift - 17, class_="only backward halo"),
            line_of("wanted: y = ", wanted, x, below + 34, class_="halo wanted"),
        ]
    bias = Entry(layer, 0, j)
    value = number(place(bias), moment["all"][place(bias)])
    found.append(line_of(f"{bias} = ", value, x, below, class_="value halo under"))
    second = _second_line(bias, moment, x, below + 17)
    found.append(element("g", second, class_="under2"))
    return found


def _bracket(
    places: Places, layer: int, blocks: Mapping[int, tuple[tuple[int, ...], ...]]
) -> str:
    """Mark neighbours that are proved equal with a sign between them."""
    marks = []
    for block in blocks[layer]:
        for one, other in pairwise(block):
            x, y1 = places.unit(layer, one)
            _, y2 = places.unit(layer, other)
            y = (y1 + y2) / 2 + 4
            badge = element("circle", cx=x, cy=y, r=13.0, class_="badge")
            sign = element(
                "text",
                "=",
                x=x,
                y=y + 6,
                class_="equal",
                font_size=18,
                text_anchor="middle",
            )
            note = element("title", "equal for ever: proved below")
            marks.append(element("g", note, badge, sign, class_="twin"))
    return "".join(marks)


def _colour(
    layer: int, j: int, blocks: Mapping[int, tuple[tuple[int, ...], ...]]
) -> str:
    for place_of, block in enumerate(blocks.get(layer, ())):
        if j in block:
            return style_of(place_of + 2).colour
    return "var(--s5)"


def number(key: str, shown: Number, *, of_sample: bool = False) -> str:
    """Give one number that the player can change."""
    name = "data_s" if of_sample else "data_k"
    return element("tspan", shown[0], class_="n", **{name: key})


def tspan(words: str, **attributes: object) -> str:
    """Give a piece of a text."""
    return element("tspan", words, **attributes)


def line_of(name: str, value: str, x: float, y: float, *, class_: str) -> str:
    """Give "name = number", centred; on a narrow screen the name is left out."""
    return element(
        "text",
        tspan(name, class_="name"),
        value,
        x=x,
        y=y,
        font_size=SMALL,
        text_anchor="middle",
        class_=class_,
    )


def _sub(index: int) -> str:
    from fanin.derivation.notation import SUBSCRIPTS

    return str(index).translate(SUBSCRIPTS)
