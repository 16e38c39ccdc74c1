"""What can be seen while a JAX model is built: nothing, for no array is written twice.

JAX has no memory without numbers and no writing in place: a parameter is born with its
numbers, and replacing it makes another array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from fanin.graph.construction import Construction


def construct(factory: Callable[[], Any]) -> Construction | None:
    """Give None: the rules that ask who wrote what rest.

    >>> construct(lambda: None) is None
    True
    """
    del factory
    return None
