"""What can be seen while a Keras model is built: nothing that its variables do not say.

Keras makes no variable without an initializer and writes each exactly once, so that no
memory is left unwritten and no start is overwritten on the way; which initializer it
was stands with the parameter (`fanin.frameworks.keras.initializers`).
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
