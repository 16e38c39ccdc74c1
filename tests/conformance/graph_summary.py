"""What a graph says to the theory, as plain data: the same for one architecture.

Frameworks write one computation in different orders and places: a scale on queries and
keys or on their product, a bias in a product or behind it, the gates of a cell one
after the other or all at once. None of it changes what is computed, so that a graph is
here the set of its distinct computations, each with all that it reads. Scalings by a
number are counted apart, by their product.
"""

from __future__ import annotations

import hashlib
from math import prod

from fanin.activations import identify
from fanin.graph import Op
from fanin.graph.roles import roles

NOT_STATISTICS = {Op.REARRANGE, Op.CONSTANT, Op.CONCAT, Op.PARAMETER}
"""Operations that move numbers, or bring some along: layouts differ, numbers do not."""


def summary(graph):
    """Give the distinct computations of a graph, and what its parameters are for."""
    reads, found, exact, factors = {}, {}, {}, []
    for node in graph.nodes:
        sources = sorted({source for i in node.inputs for source in reads[i]})
        if node.details.get("is_affine"):
            factors.append(node.details["factor"])
        if is_passed(node, graph):
            reads[node.id] = sources
            continue
        text = f"{node.op} {settings(node)}"
        name = hashlib.sha256(repr((text, sources)).encode()).hexdigest()[:12]
        found[name] = text
        exact[name] = numbers(node)
        reads[node.id] = [name]
    return {
        "operations": list(found.values()),
        "computations": sorted(f"{text} {name}" for name, text in found.items()),
        "numbers": exact,
        "linears": [linear(node) for node in graph.linears],
        "scaling": f"{prod(factors):.4g}",
        "roles": sorted(str(role.kind) for role in roles(graph).values()),
    }


def is_passed(node, graph):
    """Say whether a node only moves numbers, scales them, or adds a bias."""
    if node.op in NOT_STATISTICS or node.details.get("is_affine"):
        return True
    others = [
        graph.nodes[i] for i in node.inputs if not is_parameter(graph.nodes[i], graph)
    ]
    return node.op is Op.ADD and len(others) == 1


def is_parameter(node, graph):
    """Say whether a node is a parameter, moved or not."""
    while node.op is Op.REARRANGE:
        node = graph.nodes[node.inputs[0]]
    return node.op is Op.PARAMETER


def linear(node):
    """Say how many units a linear node gives, and whether it adds a bias."""
    units = None if node.unit_axis is None else node.shape[node.unit_axis]
    return [units, node.bias is not None]


def moments_of(node):
    """Give E[φ], E[φ²] and E[φ′²] of a node's function."""
    found = identify(node.function).moments()
    return [found.mean, found.second_moment, found.derivative_second_moment]


def numbers(node):
    """Give the numbers of a node that are not whole, with all their digits."""
    found = {key: node.details[key] for key in ("eps", "p") if key in node.details}
    if node.function is not None:
        found["moments"] = moments_of(node)
    return found


def settings(node):
    """Give what tells one computation from another, numbers to a few digits."""
    found = {
        key: node.details[key] for key in ("kind", "window") if key in node.details
    }
    if node.weight is not None:
        fan = node.weight.fan
        found["fan"] = (fan.n_in, fan.n_out, node.weight.roles.groups)
    if node.function is not None:
        found["moments"] = [
            f"{number + 0.0:.4f}".replace("-0.0000", "0.0000")
            for number in moments_of(node)
        ]
    if node.op is Op.NORMALIZE:
        found["eps"] = f"{node.details['eps']:.1e}"
        found["gain, shift"] = (node.scale is not None, node.bias is not None)
    if node.op is Op.NOISE:
        found["p"] = round(node.details["p"], 4)
    return found
