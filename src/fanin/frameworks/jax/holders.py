"""How each array of a JAX model is reached from it: attributes, lists, dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fanin.frameworks.jax.opening import opened
from fanin.graph.holder import Step


def holders(model: Any) -> dict[str, tuple[Step, ...]]:
    """Give the steps to each array, by each of its paths.

    The list within a library's ``Sequential`` is no step of its own: its items are
    written down as items of the ``Sequential``.
    """
    root = model[0] if isinstance(model, tuple) else model
    root = model[1] if _is_function(root) else root
    held = opened(model).parameters
    names = [name for path, each in held.items() for name in (path, *each.aliases)]
    return {name: tuple(_steps(root, name)) for name in names}


def _steps(root: Any, path: str) -> list[Step]:
    found: list[Step] = []
    held: Any = root
    sequence: Any = None
    parts = path.partition("#")[0].split(".")
    for depth, part in enumerate(parts, 1):
        child = _child(held, part)
        if child is None:
            break
        if part == "layers" and _is_sequential(held):
            sequence, held = held, child
            continue
        found.append(
            Step(
                holder=held if sequence is None else sequence,
                key=part,
                child=child,
                name=".".join(parts[:depth]),
                siblings=_siblings(held),
            )
        )
        held, sequence = child, None
    return found


def _is_function(root: Any) -> bool:
    return not hasattr(root, "__dict__") or type(root).__name__ in {
        "function",
        "method",
        "partial",
    }


def _is_sequential(held: Any) -> bool:
    package = type(held).__module__.partition(".")[0]
    return type(held).__name__ == "Sequential" and package in {"flax", "equinox"}


def _child(held: Any, part: str) -> Any:
    if isinstance(held, Mapping):
        return next((v for k, v in held.items() if str(k) == part), None)
    if _is_list(held):
        return held[int(part)] if part.isdigit() and int(part) < len(held) else None
    return vars(held).get(part) if hasattr(held, "__dict__") else None


def _siblings(held: Any) -> tuple[Any, ...]:
    if isinstance(held, Mapping):
        return tuple(held.values())
    return tuple(held) if _is_list(held) else ()


def _is_list(held: Any) -> bool:
    return isinstance(held, Sequence) and not isinstance(held, str)
