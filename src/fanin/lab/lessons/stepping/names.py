"""The short keys by which a picture, a table and the player know one number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fanin.derivation.net import Net
    from fanin.derivation.notation import Entry

DIGITS = 4


def place(entry: Entry) -> str:
    """Give the key of a parameter.

    >>> from fanin.derivation.notation import Entry
    >>> place(Entry(1, 2, 1)), place(Entry(2, 0, 1))
    ('w1.2.1', 'b2.0.1')
    """
    kind = "b" if entry.is_bias else "w"
    return f"{kind}{entry.layer}.{entry.i}.{entry.j}"


def factors(net: Net, entry: Entry) -> list[list[str]]:
    """Give the chain-rule factors of one sample's dL/dθ: pairs of name and key.

    In a net of two layers they are the lesson's four; in deeper ones dL/dz of the unit
    stands for all that lies behind it.
    """
    from fanin.derivation.notation import a, unicode_name, x, y_hat, z

    def called(symbol: object) -> str:
        return unicode_name(str(symbol))

    layer, j = entry.layer, entry.j
    last = net.n_layers
    own = called(z(layer, j).name)
    before = "1"
    if not entry.is_bias:
        source = x(entry.i) if layer == 1 else a(layer - 1, entry.i)
        before = called(source.name)
    tail = [] if entry.is_bias else [[before, f"a{layer - 1}.{entry.i}"]]
    if layer == last:
        guess = called(y_hat(j, net.n_outputs).name)
        head = f"dL/d{guess}" if net.loss.output == "linear" else f"dL/d{own}"
        return [[head, f"e{layer}.{j}"], *tail]
    if last == 2 and net.n_outputs == 1:
        first = (
            "dL/dŷ" if net.loss.output == "linear" else f"dL/d{called(z(2, 1).name)}"
        )
        return [
            [first, "e2.1"],
            [str_of(2, j, 1), f"w2.{j}.1"],
            [f"{net.activation.name}′({own})", f"s1.{j}"],
            *tail,
        ]
    return [[f"dL/d{own}", f"e{layer}.{j}"], *tail]


def str_of(layer: int, i: int, j: int) -> str:
    """Give the printed name of a weight."""
    from fanin.derivation.notation import Entry

    return str(Entry(layer, i, j))
