"""Build a model of ``transformers`` from its config alone; nothing else is read."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from fanin.errors import ArgumentError, MissingDependencyError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = (
    "num_hidden_layers",
    "encoder_layers",
    "decoder_layers",
    "num_layers",
    "num_decoder_layers",
)
PARTS = ("text_config", "vision_config", "audio_config", "encoder", "decoder")
"""Configs inside a config."""


@dataclass(frozen=True, kw_only=True)
class Blueprint:
    """What a config builds.

    build: makes the model, with its authors' own initialization. n_parameters: counted
    without memory. n_blocks, n_built: as the config says, and as it was cut to.
    """

    name: str
    build: Callable[[], Any]
    n_parameters: int
    n_blocks: int
    n_built: int


def blueprint(source: str, *, blocks: int | None = None) -> Blueprint:
    """Read a folder with a config.json, or a name on the model hub.

    Args:
        source: a folder, or "organization/name".
        blocks: build only so many blocks of each stack; None: all.

    Raises:
        MissingDependencyError: if ``transformers`` is not installed.
        ModelError: if the config cannot be read, or asks for code of its own.
    """
    try:
        import transformers
    except ImportError as error:
        name, purpose = "transformers", "Building a model from its config.json"
        raise MissingDependencyError.of(name, purpose, name) from error
    try:
        config = transformers.AutoConfig.from_pretrained(
            source, trust_remote_code=False
        )
    except Exception as error:
        message = f"transformers cannot read the config of {source!r}: {error}"
        raise ModelError(message) from error
    if getattr(config, "auto_map", None):
        message = (
            f"{source!r} is built by code that comes with its weights, which is not "
            "run. Build it yourself and give pkg.module:make."
        )
        raise ModelError(message)
    n_blocks = _deepest(config)
    if blocks is not None:
        if not 1 <= blocks <= n_blocks:
            name, expected = "blocks", f"from 1 to {n_blocks}"
            raise ArgumentError.of(name, blocks, expected)
        _cut(config, blocks)
    make = _maker(transformers, config, source)
    with torch.device("meta"):
        empty = make()
    return Blueprint(
        name=type(empty).__name__,
        build=make,
        n_parameters=sum(p.numel() for p in empty.parameters()),
        n_blocks=n_blocks,
        n_built=_deepest(config),
    )


def _maker(library: Any, config: Any, source: str) -> Callable[[], Any]:
    """Give what builds the class that the config names, else its bare model."""
    names = getattr(config, "architectures", None) or []
    chosen = next((getattr(library, n) for n in names if hasattr(library, n)), None)

    def make() -> Any:
        try:
            if chosen is not None:
                return chosen(config)
            return library.AutoModel.from_config(config)
        except Exception as error:
            message = f"transformers cannot build {source!r}: {error}"
            raise ModelError(message) from error

    return make


def _stacks(config: Any) -> list[Any]:
    inner = [getattr(config, name, None) for name in PARTS]
    return [config, *(each for each in inner if hasattr(each, "to_dict"))]


def _deepest(config: Any) -> int:
    """Give the blocks of the deepest stack; 0 where the config does not say."""
    counts = [getattr(part, name, 0) for part in _stacks(config) for name in COUNTS]
    return max((n for n in counts if isinstance(n, int)), default=0)


def _cut(config: Any, blocks: int) -> None:
    """Leave the first blocks of each stack, and of every list with an item a block."""
    for part in _stacks(config):
        for name in COUNTS:
            count = getattr(part, name, None)
            if isinstance(count, int) and count > blocks:
                setattr(part, name, blocks)
                _cut_lists(part, count, blocks)


def _cut_lists(part: Any, count: int, blocks: int) -> None:
    for key, value in list(vars(part).items()):
        if isinstance(value, list) and len(value) == count:
            setattr(part, key, value[:blocks])


def texts_of(model: Any) -> dict[str, str]:
    """Give the files that ``from_pretrained`` reads beside weights, by name.

    Nothing for a model that is not of ``transformers``.
    """
    if not _is_theirs(model):
        return {}
    named = deepcopy(model.config)
    named.architectures = [type(model).__name__]
    texts = {"config.json": named.to_json_string(use_diff=True)}
    generation = getattr(model, "generation_config", None)
    if generation is not None:
        texts["generation_config.json"] = generation.to_json_string(use_diff=True)
    return texts


def factory_of(model: Any) -> Callable[[], Any] | None:
    """Give what builds a ``transformers`` model anew; None for any other model."""
    if not _is_theirs(model):
        return None
    make: Callable[..., Any] = type(model)
    return partial(make, deepcopy(model.config))


def _is_theirs(model: Any) -> bool:
    return hasattr(getattr(model, "config", None), "to_json_string")
