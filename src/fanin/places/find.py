"""From a parameter's path to the line of code that built its layer."""

from __future__ import annotations

import ast
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from fanin.places.attributes import attribute, is_read, parent_call, put_into
from fanin.places.choosing import choose, scanned
from fanin.places.filling import DEEPEST, resolved, returned
from fanin.places.origin import origin_of
from fanin.places.scope import Site, call_of, called
from fanin.places.slots import items
from fanin.places.source import Sources, file_of, is_framework, is_installed, relative
from fanin.rules.location import Location

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fanin.graph.holder import Step
    from fanin.places.origin import Origin
    from fanin.places.source import SourceFile

HEAP_TYPE = 1 << 9
"""Set in the flags of a class that a ``class`` statement made (CPython, object.h)."""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of one expression, from its first to its last, and where they stand."""

    file: SourceFile
    location: Location
    last: int


@dataclass(frozen=True)
class Places:
    """Finds the lines that built a model's layers.

    trails: path of each parameter → the steps that lead to it, outermost first.
    origins: functions and frames in which the model itself was built.
    """

    model: object
    trails: Mapping[str, Sequence[Step]]
    origins: Sequence[Origin] = ()
    sources: Sources = field(default_factory=Sources)
    known: dict[str, Lines | None] = field(default_factory=dict)
    sites: dict[tuple[int, str | int], Site | None] = field(default_factory=dict)

    @cached_property
    def around(self) -> frozenset[int]:
        """Give the identities of the objects that hold layers."""
        steps = (step for trail in self.trails.values() for step in trail[:-1])
        return frozenset(id(step.holder) for step in steps)

    def of(self, path: str) -> Location | None:
        """Give the line that built the layer of a parameter, or of a layer's path.

        The innermost line of the user's own code that constructs it; else a library's;
        else the definition of the class. None where no code can be found. It never
        raises: a place is a help, and a check does not fail for want of one.
        """
        found = self.lines_of(path)
        return None if found is None else found.location

    def knows(self, path: str) -> bool:
        """Say whether the path is a parameter's or a layer's of this model."""
        return bool(self._trail(path))

    def lines_of(self, path: str) -> Lines | None:
        """Give the same as whole lines, with the file in which they stand."""
        if path not in self.known:
            self.known[path] = None
            with suppress(Exception):
                self.known[path] = self._of(path)
        return self.known[path]

    def files(self) -> list[SourceFile]:
        """Give the user's files with the model's classes, and where it was built."""
        kinds = {type(s.holder) for steps in self.trails.values() for s in steps}
        kinds.add(type(self.model))
        found: dict[str, SourceFile] = {}
        with suppress(Exception):
            classes = {each for kind in kinds for each in kind.__mro__}
            for path in filter(None, map(file_of, filter(_is_written, classes))):
                file = None if is_installed(path) else self.sources.file(path)
                if file is not None:
                    found[path] = file
            site = origin_of(self.model, self.origins, self.sources)
            if site is not None:
                found[site.scope.file.path] = site.scope.file
        return [file for file in found.values() if not file.is_library]

    def is_mentioned(self, path: str) -> bool:
        """Say whether code outside of constructors reads a layer of the user's.

        A layer that some method names can be run on another batch; one that none names
        was forgotten, and so is one whose code cannot be read. What a framework's own
        layer holds and does not read is left out by its options, not forgotten.
        """
        with suppress(Exception):
            return self._is_mentioned(path)
        return False

    def _is_mentioned(self, path: str) -> bool:
        held = [step for step in self._trail(path) if not step.is_item]
        return all(
            is_read(type(step.holder), str(step.key), self.sources)
            for step in held
            if _is_written(type(step.holder))
        )

    def _of(self, path: str) -> Lines | None:
        trail = self._trail(path)
        found = [
            _located(site, step)
            for step, site in self._sites(trail)
            if site is not None
        ]
        own = [lines for lines in found if lines.location.kind == "constructs"]
        if own:
            return own[-1]
        return found[-1] if found else self._definition(trail)

    def _trail(self, path: str) -> list[Step]:
        """Give the steps to a parameter; those to a layer, where the path is one's."""
        if path in self.trails:
            return list(self.trails[path])
        for name, steps in self.trails.items():
            if name.startswith((f"{path}.", f"{path}/")):
                return [step for step in steps if _is_within(step.name, path)]
        return []

    def _sites(self, trail: Sequence[Step]) -> list[tuple[Step, Site | None]]:
        """Give the expression that built the object at the end of each step."""
        site = origin_of(self.model, self.origins, self.sources)
        keyed: tuple[type, str] | None = None
        found: list[tuple[Step, Site | None]] = []
        for step in trail:
            is_item = step.is_item and not _is_written(type(step.holder))
            if not is_item:
                keyed = (type(step.holder), str(step.key))
            place = (id(step.holder), step.key)
            if place not in self.sites:
                self.sites[place] = (
                    self._item(step, site, keyed) if is_item else self._attribute(step)
                )
            site = self.sites[place]
            if step.is_item or step is not trail[-1] or self._is_own(step, trail):
                found.append((step, site))
        return found

    def _is_own(self, step: Step, trail: Sequence[Step]) -> bool:
        """Say whether the line of a parameter says more than that of its layer.

        It does where a class of somebody's holds it beside layers, or is the model;
        where the class is a layer of its own making, the line that built it is meant.
        """
        if not _is_written(type(step.holder)):
            return False
        return len(trail) == 1 or id(step.holder) in self.around

    def _attribute(self, step: Step) -> Site | None:
        site = self._of_parent_call(step)
        kind, key = type(step.holder), str(step.key)
        return site or attribute(kind, key, step.child, self.sources)

    def _of_parent_call(self, step: Step) -> Site | None:
        """Read the items that a class of containers hands to its parent's __init__."""
        call = parent_call(type(step.holder), self.sources) if step.is_item else None
        slots = [] if call is None else items(call, self.sources)
        return choose(slots, step) if slots else None

    def _item(
        self, step: Step, site: Site | None, keyed: tuple[type, str] | None
    ) -> Site | None:
        site = None if site is None else self._made(site)
        slots = [] if site is None or _is_net(site) else items(site, self.sources)
        if keyed is not None:
            slots += put_into(*keyed, self.sources)
        if slots:
            return choose(slots, step)
        if site is None or keyed is not None:
            return None
        return scanned(site.scope, step)

    def _made(self, site: Site) -> Site:
        """Follow functions to the expression, or the name, that they return."""
        for _ in range(DEEPEST):
            inner = returned(resolved(site), self.sources)
            if not inner:
                break
            site = inner[-1]
        return site

    def _definition(self, trail: Sequence[Step]) -> Lines | None:
        """Give the class of the innermost layer that is the user's, or a library's."""
        kinds = [type(step.holder) for step in trail] or [type(self.model)]
        for kind in filter(_is_written, reversed(kinds)):
            for each, file, body in self.sources.bodies(kind):
                if each is kind:
                    found = _lines(file, body, kind="defines")
                    return replace(found, last=body.lineno)
        return None


def places_of(
    model: object,
    holders: Callable[[object], Mapping[str, Sequence[Step]]],
    origins: Sequence[Origin] = (),
) -> Places:
    """Make a finder for a model; a model that cannot be walked has no places."""
    trails: Mapping[str, Sequence[Step]] = {}
    with suppress(Exception):
        trails = holders(model)
    return Places(model=model, trails=trails, origins=origins)


def _is_net(site: Site) -> bool:
    """Say whether a call takes a net's ends, not its layers: keras.Model(in, out)."""
    call, names = resolved(site).expression, site.scope.names
    return isinstance(call, ast.Call) and called(call, names) in {"Model", "Functional"}


def _located(site: Site, step: Step) -> Lines:
    made = resolved(site)
    node: ast.expr = call_of(type(step.child), made) or made.expression
    file = site.scope.file
    return _lines(file, node, kind="defines" if file.is_library else "constructs")


def _lines(file: SourceFile, node: ast.expr | ast.ClassDef, *, kind: str) -> Lines:
    location = Location(
        file=relative(file.path),
        line=node.lineno,
        column=node.col_offset + 1,
        text=file.line(node.lineno),
        kind=kind,
    )
    return Lines(file=file, location=location, last=node.end_lineno or node.lineno)


def _is_written(kind: type) -> bool:
    """Say whether a class is somebody's own, and not a framework's or Python's."""
    is_made_by_class = bool(kind.__flags__ & HEAP_TYPE)
    return is_made_by_class and not is_framework(kind)


def _is_within(name: str, path: str) -> bool:
    return name == path or path.startswith((f"{name}.", f"{name}/"))
