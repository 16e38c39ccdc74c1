"""What a fault is: where it fits, how it is put in, and which rules name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from benchmarks.faults.subject import Base, Subject

    Injection = Callable[[Subject, np.random.Generator], frozenset[str]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way of being broken.

    codes: of the rules that name it. fits: is it a fault in this base? inject: puts it
    in and gives the parameters to blame, none where it does not lie in parameters; its
    docstring says why it is a fault where it fits.
    """

    name: str
    codes: frozenset[str]
    fits: Callable[[Base], bool]
    inject: Injection


FAULTS: list[Fault] = []


def fault(
    name: str, codes: str, fits: Callable[[Base], bool]
) -> Callable[[Injection], Injection]:
    """List the function below as a fault; codes are given by their digits."""

    def enter(inject: Injection) -> Injection:
        named = frozenset(f"FAN{digits}" for digits in codes.split())
        FAULTS.append(Fault(name=name, codes=named, fits=fits, inject=inject))
        return inject

    return enter
