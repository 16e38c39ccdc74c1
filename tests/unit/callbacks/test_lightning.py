from __future__ import annotations

import importlib
import warnings

import pytest
import torch

import fanin
from fanin.callbacks import LearningError, LearningWarning
from fanin.errors import ArgumentError, UnknownNameError
from fanin.rules import Verdict

# Lightning's own, at version 2.6: a deprecated call of torch, and its advice.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec.:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:.*number of training batches"),
]


@pytest.fixture(params=["lightning.pytorch", "pytorch_lightning"])
def pl(request):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what importing it says of other packages
        return importlib.import_module(request.param)


def module(pl, *, is_zero=False, is_manual=False):
    class Net(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(6, 16),
                torch.nn.BatchNorm1d(16),
                torch.nn.ReLU(),
                torch.nn.Dropout(0.1),
                torch.nn.Linear(16, 3),
            )
            self.automatic_optimization = not is_manual
            self.seen = []
            self.total = torch.zeros(())

        def training_step(self, batch, batch_idx):
            x, y = batch
            loss = torch.nn.functional.cross_entropy(self.net(x), y)
            self.seen.append(batch_idx)
            self.total += len(x)
            self.log("loss", loss)
            if is_manual:
                optimizer = self.optimizers()
                optimizer.zero_grad()
                self.manual_backward(loss)
                optimizer.step()
                return None
            return {"loss": loss}

        def configure_optimizers(self):
            return torch.optim.AdamW(self.parameters(), lr=1e-3)

    torch.manual_seed(3)
    made = Net()
    for name, parameter in made.named_parameters():
        if is_zero and name.startswith(("net.0", "net.4")):
            torch.nn.init.zeros_(parameter)
    return made


def fit(pl, net, *callbacks, max_epochs=2, **words):
    generator = torch.Generator().manual_seed(4)
    x = torch.randn((64, 6), generator=generator)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, (x[:, 0] > 0).long()), batch_size=16
    )
    trainer = pl.Trainer(
        max_epochs=max_epochs,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **words,
    )
    torch.manual_seed(5)  # of dropout
    trainer.fit(net, loader)
    return trainer


def callback(**words):
    return fanin.callbacks.LightningCallback(**words)


def test_a_fit_with_the_callback_is_the_same_to_the_last_bit(pl):
    alone, watched = module(pl), module(pl)
    fit(pl, alone)
    it = callback(steps=3)
    fit(pl, watched, it)

    pairs = zip(alone.state_dict().values(), watched.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert (watched.seen, watched.total) == (alone.seen, alone.total)
    assert [m for m in watched.modules() if m._forward_hooks] == []


def test_weights_batch_and_steps_are_reported_and_logged(pl):
    it = callback(steps=5)
    trainer = fit(pl, module(pl), it)

    assert it.start.verdict is Verdict.NOT_CHECKED
    assert it.first.verdict is Verdict.HEALTHY
    assert it.report.verdict is Verdict.HEALTHY
    assert it.watch.n_steps == 5
    assert it.watch.trace.loss[0] == pytest.approx(float(it.watch.trace.loss[0]))
    assert -5 < trainer.callback_metrics["fanin_update_ratio_median"] < 0


@pytest.mark.parametrize(
    "words", [{"precision": "bf16-mixed"}, {"accumulate_grad_batches": 2}]
)
def test_mixed_precision_and_accumulation_are_seen_as_they_are(pl, words):
    it = callback(steps=4)
    fit(pl, module(pl), it, **words)

    assert it.watch.n_steps == 4
    assert it.report.verdict is Verdict.HEALTHY


def test_a_dead_model_is_told_of_once(pl):
    it = callback(steps=3)
    with pytest.warns(LearningWarning) as told:
        fit(pl, module(pl, is_zero=True), it)

    messages = [str(w.message) for w in told if w.category is LearningWarning]
    assert len(messages) == 1
    assert messages[0].startswith("fanin, the first batch: cannot learn (proved)")
    assert "FAN101" in messages[0]


def test_a_dead_model_can_end_the_fit_with_an_error(pl):
    net = module(pl, is_zero=True)
    with pytest.raises(LearningError, match="FAN101"):
        fit(pl, net, callback(action="raise"))

    assert net.seen == []


def test_a_dead_model_can_stop_the_fit(pl):
    net = module(pl, is_zero=True)
    with pytest.warns(LearningWarning, match="FAN101"):
        trainer = fit(pl, net, callback(action="stop"), max_epochs=50)

    assert trainer.current_epoch == 1


def test_broken_weights_are_found_before_anything_runs(pl):
    net = module(pl)
    torch.nn.init.constant_(net.net[0].bias, float("nan"))
    with pytest.raises(LearningError, match=r"weights before training(?s:.*)FAN801"):
        fit(pl, net, callback(action="raise"))

    assert net.seen == []


def test_manual_optimization_is_watched_and_its_step_is_not_run_twice(pl):
    net = module(pl, is_manual=True)
    it = callback(steps=3)
    fit(pl, net, it)

    assert it.first is None
    assert it.watch.n_steps == 3
    assert len(net.seen) == 8


def test_an_objective_of_one_s_own_is_checked_in_its_place(pl):
    def objective(net, batch):
        return torch.nn.functional.cross_entropy(net.net(batch[0]), batch[1])

    it = callback(steps=3, objective=objective)
    fit(pl, module(pl, is_manual=True), it)

    assert it.first.verdict is Verdict.HEALTHY


def test_hooks_are_gone_after_a_fit_that_raised(pl):
    net = module(pl)

    def broken(batch, batch_idx, step=net.training_step):
        if len(net.seen) > 2:
            raise RuntimeError("no more data")
        return step(batch, batch_idx)

    net.training_step = broken
    with pytest.raises(RuntimeError, match="no more data"):
        fit(pl, net, callback())

    assert [m for m in net.modules() if m._forward_hooks] == []


def test_wrong_words_are_refused_when_the_callback_is_made():
    with pytest.raises(ArgumentError, match="'warn', 'raise' or 'stop'"):
        callback(action="shout")
    with pytest.raises(UnknownNameError, match="FAN999"):
        callback(allow=["FAN999"])
