"""A writer of LLVM code for straight-line arithmetic on vectors of whole numbers.

Vectors are longer than any machine's: LLVM cuts them to what the processor has, and
that many independent chains hide the latency of the multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MASK_32 = 0xFFFFFFFF


def signed(number: int, bits: int) -> int:
    """Give a number of so many bits as LLVM reads it: in two's complement.

    >>> signed(0xFFFFFFFF, 32)
    -1
    """
    wrapped = number & ((1 << bits) - 1)
    return wrapped - (1 << bits) if wrapped >> (bits - 1) else wrapped


def vector(lanes: int, kind: str) -> str:
    """Name a vector type.

    >>> vector(4, "i32")
    '<4 x i32>'
    """
    return f"<{lanes} x {kind}>"


def listed(kind: str, items: list[int] | range) -> str:
    """Write a constant vector.

    >>> listed("i32", [1, 0])
    '<i32 1, i32 0>'
    """
    return "<" + ", ".join(f"{kind} {item}" for item in items) + ">"


@dataclass
class Code:
    """Lines of one function; each call writes a line and names its result."""

    lines: list[str] = field(default_factory=list)
    n_names: int = 0

    def let(self, operation: str) -> str:
        """Write "%name = operation" and give the name."""
        self.n_names += 1
        name = f"%v{self.n_names}"
        self.lines.append(f"  {name} = {operation}")
        return name

    def do(self, operation: str) -> None:
        """Write an operation that has no result."""
        self.lines.append(f"  {operation}")

    def spread(self, scalar: str, lanes: int, kind: str) -> str:
        """Lay a scalar into every lane."""
        wide = vector(lanes, kind)
        one = self.let(f"insertelement {wide} poison, {kind} {scalar}, i32 0")
        zeros = f"<{lanes} x i32> zeroinitializer"
        return self.let(f"shufflevector {wide} {one}, {wide} poison, {zeros}")

    def shuffle(self, one: str, other: str, places: list[int], kind: str) -> str:
        """Take lanes of two vectors that have as many lanes as there are places."""
        wide = vector(len(places), kind)
        order = listed("i32", places)
        lanes = f"<{len(places)} x i32>"
        return self.let(f"shufflevector {wide} {one}, {wide} {other}, {lanes} {order}")

    def cast(self, operation: str, value: str, before: str, after: str) -> str:
        """Write a conversion (bitcast, zext, trunc, sitofp …)."""
        return self.let(f"{operation} {before} {value} to {after}")


@dataclass(frozen=True)
class Lanes:
    """Arithmetic on vectors of one type; a whole number stands for all lanes alike."""

    code: Code
    count: int
    bits: int

    @property
    def type(self) -> str:
        """Name the vector type."""
        return vector(self.count, f"i{self.bits}")

    def operand(self, value: str | int) -> str:
        """Write a name as it is, and a number in every lane."""
        if isinstance(value, str):
            return value
        return listed(f"i{self.bits}", [signed(value, self.bits)] * self.count)

    def apply(self, operation: str, one: str | int, other: str | int) -> str:
        """Write an operation of two vectors."""
        left, right = self.operand(one), self.operand(other)
        return self.code.let(f"{operation} {self.type} {left}, {right}")

    def add(self, one: str | int, other: str | int) -> str:
        """Write a sum, modulo 2^bits."""
        return self.apply("add", one, other)

    def sub(self, one: str | int, other: str | int) -> str:
        """Write a difference, modulo 2^bits."""
        return self.apply("sub", one, other)

    def mul(self, one: str | int, other: str | int) -> str:
        """Write a product, modulo 2^bits."""
        return self.apply("mul", one, other)

    def both(self, one: str | int, other: str | int) -> str:
        """Write the bits that are in both."""
        return self.apply("and", one, other)

    def either(self, one: str | int, other: str | int) -> str:
        """Write the bits that are in either."""
        return self.apply("or", one, other)

    def differ(self, one: str | int, other: str | int) -> str:
        """Write the bits that differ."""
        return self.apply("xor", one, other)

    def left(self, value: str | int, by: str | int) -> str:
        """Write a shift to the left."""
        return self.apply("shl", value, by)

    def right(self, value: str | int, by: str | int) -> str:
        """Write a shift to the right that fills with zeros."""
        return self.apply("lshr", value, by)

    def signs(self, value: str) -> str:
        """Write all ones where the top bit is set, else zeros."""
        return self.apply("ashr", value, self.bits - 1)

    def gathered(self, table: str, places: str) -> str:
        """Write what a table of 64 bits holds at the places that the lanes name."""
        kind, n = self.type, self.count
        at = self.code.let(f"getelementptr i64, ptr {table}, {kind} {places}")
        all_lanes = f"{vector(n, 'i1')} {listed('i1', [1] * n)}"
        return self.code.let(
            f"call {kind} @llvm.masked.gather.v{n}i64.v{n}p0("
            f"{vector(n, 'ptr')} {at}, i32 8, {all_lanes}, {kind} poison)"
        )

    def choose(
        self, compare: str, pair: tuple[str, str | int], result: tuple[str, str]
    ) -> str:
        """Write result[0] where ``icmp compare`` of the pair holds, else result[1]."""
        one, other = map(self.operand, pair)
        holds = self.code.let(f"icmp {compare} {self.type} {one}, {other}")
        asks = vector(self.count, "i1")
        yes, no = (f"{self.type} {name}" for name in result)
        return self.code.let(f"select {asks} {holds}, {yes}, {no}")
