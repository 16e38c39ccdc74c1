"""What is said of a TARGET that names nothing."""

from __future__ import annotations

from fanin.errors import UsageError

GRAMMAR = (
    "Write pkg.module:attribute, path/file.py:attribute, either with literal "
    "arguments as in net.py:make(width=256); a .keras or .pt2 file; a folder with "
    "the config.json of a transformers model; or a file of weights "
    "(.safetensors, .pt, .npz, .weights.h5) with --arch TARGET."
)


class TargetError(UsageError):
    """A TARGET that cannot be read, or names what is not there."""

    @classmethod
    def of(cls, target: str, what: str) -> TargetError:
        """Build the message: the target, what is wrong with it, and the grammar."""
        return cls(f"Target {target!r}: {what}. {GRAMMAR}")
