"""The list of primitives that a GraphBuilder fills; those here only move numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.graph.draft import Draft, Kind, Place

if TYPE_CHECKING:
    from collections.abc import Sequence

Shape = tuple[int, ...]


class DraftList:
    """Primitives in order of execution; see ``GraphBuilder``, which adds the others.

    place: where the next primitives run; set it whenever it changes.
    """

    def __init__(self) -> None:
        self.place = Place()
        self.drafts: list[Draft] = []

    def add(
        self,
        kind: Kind,
        shape: Shape,
        inputs: Sequence[int] = (),
        **fields: Any,  # noqa: ANN401 (fields of Draft)
    ) -> int:
        """Append a primitive, and give the id of its value."""
        draft = Draft(
            id=len(self.drafts),
            kind=kind,
            shape=tuple(int(length) for length in shape),
            inputs=tuple(inputs),
            place=self.place,
            **fields,
        )
        self.drafts.append(draft)
        return draft.id

    def shape(self, value: int) -> Shape:
        """Give the shape of a value."""
        return self.drafts[value].shape

    def permute(self, name: str, source: int, axes: Sequence[int]) -> int:
        """Add a transposition: axis i of the output is axis ``axes[i]``."""
        old = self.shape(source)
        order = tuple(axis % len(old) for axis in axes)
        shape = tuple(old[axis] for axis in order)
        return self.add(
            Kind.PERMUTE, shape, (source,), name=name, settings={"axes": order}
        )

    def reshape(self, name: str, source: int, shape: Shape) -> int:
        """Add the same numbers in row-major order under another shape.

        Also for views, copies, casts, and axes of length 1 put in or taken out.
        """
        return self.add(Kind.RESHAPE, shape, (source,), name=name)

    def broadcast(
        self, name: str, source: int, shape: Shape, axes: Sequence[int] | None = None
    ) -> int:
        """Add copies along axes: axis i of the source becomes ``axes[i]``.

        None: the source's axes are the last ones, as NumPy broadcasts.
        """
        rank = len(self.shape(source))
        if axes is None:
            axes = range(len(shape) - rank, len(shape))
        settings = {"axes": tuple(axes)}
        return self.add(Kind.BROADCAST, shape, (source,), name=name, settings=settings)

    def pick(  # noqa: PLR0913 (a slice has that many settings)
        self,
        name: str,
        source: int,
        shape: Shape,
        *,
        axis: int | None = None,
        start: int = 0,
        step: int = 1,
        is_dropped: bool = False,
    ) -> int:
        """Add a part of a tensor: a slice of one axis, or one entry of it.

        axis: the axis of the source that is cut, from ``start`` in steps of ``step``;
        None where several axes are cut or padded or the order changes (roll, flip).
        is_dropped: the axis is no longer there (one entry was selected).
        """
        settings = {"axis": axis, "start": start, "step": step}
        settings["is_dropped"] = is_dropped
        return self.add(Kind.PICK, shape, (source,), name=name, settings=settings)

    def concat(self, name: str, inputs: Sequence[int], axis: int) -> int:
        """Add tensors laid side by side along an axis."""
        first = self.shape(inputs[0])
        axis %= len(first)
        total = sum(self.shape(i)[axis] for i in inputs)
        shape = (*first[:axis], total, *first[axis + 1 :])
        return self.add(Kind.CONCAT, shape, inputs, name=name, settings={"axis": axis})
