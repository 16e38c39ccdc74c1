"""What a model of ``transformers`` reads, from its config and its main input's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fanin.graph.signature import InputSignature, SeveralInputs

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS, LENGTH = 8, 16
IMAGES, SIDE = 8, 224
SOUNDS, SAMPLES, FRAMES = 4, 16_000, 3_000
WORDS = ("ForCausalLM", "ForMaskedLM", "LMHeadModel", "ForConditionalGeneration")
CLASSES = ("ForImageClassification", "ForSequenceClassification")


def transformers_signatures(model: Any) -> Iterator[SeveralInputs]:
    """Yield what the model may read by name, the plainest first; nothing for others.

    A second stack, and a second sense, are tried when the main input alone is too
    little.
    """
    config = getattr(model, "config", None)
    main = getattr(model, "main_input_name", None)
    if not hasattr(config, "to_dict") or not isinstance(main, str):
        return
    known = {
        "input_ids": _tokens(config),
        "pixel_values": _images(config),
        "input_values": InputSignature(shape=(SOUNDS, SAMPLES)),
        "input_features": _frames(config),
        "decoder_input_ids": _tokens(config),
    }
    if main not in known:
        return
    for more in ((), ("decoder_input_ids",), ("input_ids",), ("pixel_values",)):
        names = dict.fromkeys((main, *more))
        if not more or len(names) > 1:
            keywords = tuple((n, known[n]) for n in names)
            yield SeveralInputs(
                keywords=keywords, target=_target(model, dict(keywords))
            )


def _target(model: Any, inputs: dict[str, InputSignature]) -> InputSignature | None:
    """Give what the class's name says that the model tells apart; None if nothing."""
    name, config = type(model).__name__, model.config
    tokens = inputs.get("decoder_input_ids", inputs.get("input_ids"))
    if name.endswith(WORDS) and tokens is not None:
        return tokens
    n_labels = _number(config, "num_labels")
    if name.endswith(CLASSES) and n_labels > 1:
        n_samples = next(iter(inputs.values())).shape[0]
        return InputSignature(shape=(n_samples,), below=n_labels)
    return None


def _tokens(config: Any) -> InputSignature:
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    longest = _number(text, "max_position_embeddings", "n_positions") or LENGTH
    below = _number(text, "vocab_size") or 2
    return InputSignature(shape=(TEXTS, min(LENGTH, longest)), below=below)


def _images(config: Any) -> InputSignature:
    seen = getattr(config, "vision_config", config)
    side = getattr(seen, "image_size", None) or SIDE
    sides = tuple(side) if isinstance(side, list | tuple) else (side, side)
    channels = _number(seen, "num_channels") or 3
    return InputSignature(shape=(IMAGES, channels, *sides))


def _frames(config: Any) -> InputSignature:
    bins = _number(config, "num_mel_bins") or 80
    half = _number(config, "max_source_positions")
    return InputSignature(shape=(SOUNDS, bins, 2 * half if half else FRAMES))


def _number(config: Any, *names: str) -> int:
    found = (getattr(config, name, None) for name in names)
    return next((n for n in found if isinstance(n, int) and n > 0), 0)
