from __future__ import annotations

import math

import pytest
import torch
import transformers

from fanin.callbacks import HFCallback, LearningError, LearningWarning
from fanin.rules import Verdict

BATCH, LENGTH, WORDS = 4, 8, 50


def model(*, is_zero=False):
    torch.manual_seed(6)
    config = transformers.GPT2Config(
        vocab_size=WORDS, n_positions=LENGTH, n_embd=16, n_layer=2, n_head=2
    )
    made = transformers.GPT2LMHeadModel(config)
    if is_zero:
        for block in made.transformer.h:
            for parameter in block.mlp.parameters():
                torch.nn.init.zeros_(parameter)
    return made


def samples(n=32):
    generator = torch.Generator().manual_seed(2)
    tokens = torch.randint(WORDS, (n, LENGTH), generator=generator)
    return [{"input_ids": row, "labels": row} for row in tokens]


def batch():
    rows = samples(BATCH)
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def train(it, tmp_path, *callbacks, **words):
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path),
        per_device_train_batch_size=BATCH,
        max_steps=6,
        report_to=[],
        save_strategy="no",
        logging_steps=100,
        disable_tqdm=True,
        use_cpu=True,
        seed=1,
        **words,
    )
    trainer = transformers.Trainer(
        model=it,
        args=arguments,
        train_dataset=samples(),
        callbacks=list(callbacks),
    )
    trainer.train()
    return trainer


# accelerate asks for memory that only an accelerator can pin, and torch says so.
pytestmark = pytest.mark.filterwarnings("ignore:'pin_memory' argument is set as true")


def test_a_training_with_the_callback_is_the_same_to_the_last_bit(tmp_path):
    alone, watched = model(), model()
    train(alone, tmp_path)
    train(watched, tmp_path, HFCallback(batch(), steps=3))

    pairs = zip(alone.state_dict().values(), watched.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert [m for m in watched.modules() if m._forward_hooks] == []


def test_weights_batch_and_steps_are_reported(tmp_path):
    it = HFCallback(batch(), steps=4)
    train(model(), tmp_path, it)

    assert it.start.verdict is Verdict.NOT_CHECKED
    assert it.first.verdict is Verdict.HEALTHY
    assert it.report.verdict is Verdict.HEALTHY
    assert it.watch.n_steps == 4
    assert it.watch.trace.family == "adamw"
    # Of 8 tokens 7 are predicted, and the Trainer divides by the count of labels.
    assert it.watch.trace.loss[0] == pytest.approx(math.log(WORDS) * 7 / 8, rel=0.05)


def test_accumulated_gradients_make_one_step(tmp_path):
    it = HFCallback(steps=50)
    train(model(), tmp_path, it, gradient_accumulation_steps=2)

    assert it.watch.n_steps == 6


def test_a_dead_block_is_told_of_before_the_first_step(tmp_path):
    it = HFCallback(batch(), steps=2)
    with pytest.warns(LearningWarning, match="the batch before training"):
        train(model(is_zero=True), tmp_path, it)

    assert "FAN101" in {f.code for f in it.first.findings}


def test_a_dead_block_is_seen_in_the_steps_too(tmp_path):
    with pytest.warns(LearningWarning, match="(?s)the first 4 steps.*FAN106"):
        train(model(is_zero=True), tmp_path, HFCallback(steps=4))


def test_training_can_be_ended(tmp_path):
    with pytest.raises(LearningError, match="FAN101"):
        train(model(is_zero=True), tmp_path, HFCallback(batch(), action="raise"))
    with pytest.warns(LearningWarning):
        trainer = train(
            model(is_zero=True), tmp_path, HFCallback(steps=3, action="stop")
        )

    assert trainer.state.global_step == 3


def test_broken_weights_are_found_when_the_trainer_is_made(tmp_path):
    broken = model()
    torch.nn.init.constant_(broken.transformer.ln_f.bias, float("nan"))
    with pytest.raises(LearningError, match="FAN801"):
        train(broken, tmp_path, HFCallback(action="raise"))
