"""The items of a container, as the code that fills it lists them."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fanin.places.filling import assigned, returned, statements
from fanin.places.scope import Scope, Site, called, seen

if TYPE_CHECKING:
    from fanin.places.source import Sources

DEEPEST: Final = 6
"""Names and functions followed from one expression to another."""

LAYERS: Final = ("layers", "modules", "children")
"""Keywords under which containers take their items."""

IsIt = Callable[[ast.expr], bool]


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One item as it is written down.

    key: a pattern of the names under which it can be found, None for a position.
    is_repeated: stands in a loop, for any number of items.
    """

    site: Site
    key: str | None = None
    is_repeated: bool = False


@dataclass(frozen=True)
class Reading:
    """An expression being read: where it stands, and how many names led to it."""

    scope: Scope
    sources: Sources
    depth: int = 0

    def items(self, node: ast.expr) -> list[Slot]:
        """Give what a container's expression puts into it, in order."""
        read = READERS.get(type(node))
        if read is None or self.depth > DEEPEST:
            return []
        deeper = Reading(self.scope, self.sources, self.depth + 1)
        return read(deeper, node)


def items(site: Site, sources: Sources) -> list[Slot]:
    """Give what a container's expression puts into it, in order."""
    return Reading(site.scope, sources).items(site.expression)


def added(body: ast.AST, is_it: IsIt, reading: Reading) -> list[Slot]:
    """Give what statements put into a container after it was made, in order."""
    return [
        replace(slot, is_repeated=is_repeated or slot.is_repeated)
        for node, is_repeated in statements(body)
        for slot in _added_by(node, is_it, reading)
    ]


def pattern(key: ast.expr) -> str:
    """Give a pattern of the strings that an expression can be.

    >>> pattern(ast.parse("f'conv{i}'", mode="eval").body)
    'conv.*'
    """
    if isinstance(key, ast.Constant):
        return re.escape(str(key.value))
    if isinstance(key, ast.JoinedStr):
        return "".join(pattern(part) for part in key.values)
    if isinstance(key, ast.BinOp) and isinstance(key.op, ast.Add):
        return pattern(key.left) + pattern(key.right)
    return ".*"


def _of_list(reading: Reading, node: ast.List | ast.Tuple | ast.Set) -> list[Slot]:
    return [slot for each in node.elts for slot in _element(reading, each)]


def _of_comprehension(
    reading: Reading, node: ast.ListComp | ast.GeneratorExp | ast.SetComp
) -> list[Slot]:
    return [replace(s, is_repeated=True) for s in _pair(reading, node.elt)]


def _of_dict_comprehension(reading: Reading, node: ast.DictComp) -> list[Slot]:
    return [replace(_keyed(reading, node.key, node.value), is_repeated=True)]


def _of_dict(reading: Reading, node: ast.Dict) -> list[Slot]:
    pairs = zip(node.keys, node.values, strict=True)
    return [_keyed(reading, key, value) for key, value in pairs if key is not None]


def _of_sum(reading: Reading, node: ast.BinOp) -> list[Slot]:
    """Read ``a + b`` and ``[a] * n``."""
    is_product = isinstance(node.op, ast.Mult)
    both = [*reading.items(node.left), *reading.items(node.right)]
    return [replace(s, is_repeated=is_product or s.is_repeated) for s in both]


def _of_choice(reading: Reading, node: ast.IfExp) -> list[Slot]:
    return [*reading.items(node.body), *reading.items(node.orelse)]


def _of_name(reading: Reading, node: ast.Name) -> list[Slot]:
    """Read what a local name holds: as assigned first, and what is added later."""
    given = assigned(node.id, reading.scope)
    if not given:
        return []

    def is_it(other: ast.expr) -> bool:
        return isinstance(other, ast.Name) and other.id == node.id

    return [*reading.items(given[0]), *added(reading.scope.body, is_it, reading)]


def _of_call(reading: Reading, call: ast.Call) -> list[Slot]:
    """Read Sequential(...), list(...), or what a function of the user's returns."""
    inner = returned(Site(expression=call, scope=reading.scope), reading.sources)
    if inner:
        deeper = Reading(inner[-1].scope, reading.sources, reading.depth)
        return deeper.items(inner[-1].expression)
    keywords = [k.value for k in call.keywords if k.arg in LAYERS]
    if len(call.args) == 1 and not _is_layer(reading, call.args[0]):
        inside = reading.items(_unstarred(call.args[0]))
        if inside:
            return inside
    found = [slot for node in call.args for slot in _element(reading, node)]
    return [*found, *(slot for node in keywords for slot in reading.items(node))]


READERS: Final[dict[type[ast.expr], Callable[..., list[Slot]]]] = {
    ast.List: _of_list,
    ast.Tuple: _of_list,
    ast.Set: _of_list,
    ast.ListComp: _of_comprehension,
    ast.GeneratorExp: _of_comprehension,
    ast.SetComp: _of_comprehension,
    ast.DictComp: _of_dict_comprehension,
    ast.Dict: _of_dict,
    ast.BinOp: _of_sum,
    ast.IfExp: _of_choice,
    ast.Name: _of_name,
    ast.Call: _of_call,
}


def _element(reading: Reading, node: ast.expr) -> list[Slot]:
    if isinstance(node, ast.Starred):
        return reading.items(node.value)
    return _pair(reading, node)


def _pair(reading: Reading, node: ast.expr) -> list[Slot]:
    """Give one item; a pair of a name and a layer is found under the name."""
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        return [_keyed(reading, node.elts[0], node.elts[1])]
    return [Slot(site=Site(expression=node, scope=reading.scope))]


def _keyed(reading: Reading, key: ast.expr, value: ast.expr) -> Slot:
    site = Site(expression=value, scope=reading.scope)
    return Slot(site=site, key=pattern(key))


def _unstarred(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Starred) else node


def _is_layer(reading: Reading, node: ast.expr) -> bool:
    """Say whether an only argument is itself an item, not a list of them."""
    if not isinstance(node, ast.Call):
        return False
    name = called(node, reading.scope.names)
    is_class = isinstance(seen(node.func, reading.scope.names), type)
    return (is_class or name[:1].isupper()) and name not in {
        "list",
        "tuple",
        "dict",
        "OrderedDict",
    }


def _added_by(node: ast.stmt, is_it: IsIt, reading: Reading) -> list[Slot]:
    if isinstance(node, ast.AugAssign) and is_it(node.target):
        return reading.items(node.value)
    if isinstance(node, ast.Assign):
        return [
            _keyed(reading, target.slice, node.value)
            for target in node.targets
            if isinstance(target, ast.Subscript) and is_it(target.value)
        ]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        function = node.value.func
        if isinstance(function, ast.Attribute) and is_it(function.value):
            return _added_by_method(function.attr, node.value.args, reading)
    return []


def _added_by_method(
    name: str, arguments: list[ast.expr], reading: Reading
) -> list[Slot]:
    """Read append(x), insert(i, x), add_module(name, x), extend(several)."""
    if name in {"extend", "update"} and len(arguments) == 1:
        return reading.items(arguments[0])
    if name in {"append", "add"} and len(arguments) == 1:
        return _pair(reading, arguments[0])
    if name == "insert" and len(arguments) == 2:
        return _pair(reading, arguments[1])
    if name in {"add_module", "register_module"} and len(arguments) == 2:
        return [_keyed(reading, arguments[0], arguments[1])]
    return []
