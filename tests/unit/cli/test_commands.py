from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fanin.cli import main

NETS = Path(__file__).parent / "nets.py"
NET = f"{NETS}:make"
ZERO = f"{NETS}:make(zero=True)"
DATA = ["--input", f"{NETS}:batch", "--loss", "cross_entropy"]


def test_help_lists_every_verb_and_imports_no_framework():
    code = (
        "import sys; from fanin.cli import main; main(['--help']); "
        "print([m for m in ('torch', 'keras', 'jax', 'sympy') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    verbs = [
        "explain",
        "check",
        "plan",
        "init",
        "apply",
        "compare",
        "lab",
        "lesson",
        "policies",
        "schemes",
        "rule",
        "demo",
    ]
    assert all(verb in done.stdout for verb in verbs)
    assert done.stdout.strip().endswith("[]")


def test_a_broken_network_is_exit_code_1_and_names_the_rule(capsys):
    assert main(["check", ZERO, *DATA]) == 1
    assert "FAN101" in capsys.readouterr().out


def test_a_healthy_network_is_exit_code_0(capsys):
    assert main(["check", NET, *DATA]) == 0
    assert "healthy for this batch" in capsys.readouterr().out


def test_never_failing_still_prints_the_findings(capsys):
    assert main(["check", ZERO, *DATA, "--fail-on", "never"]) == 0
    assert "FAN101" in capsys.readouterr().out


def test_json_holds_the_findings_and_nothing_else_is_on_stdout(capsys):
    main(["check", ZERO, *DATA, "--format", "json"])

    report = json.loads(capsys.readouterr().out)
    assert report["schema"] == "fanin.check/1"
    assert report["findings"][0]["code"] == "FAN101"


def test_the_format_does_not_change_the_exit_code(tmp_path):
    codes = {
        main(["check", ZERO, *DATA, "-o", str(tmp_path / f"report.{suffix}")])
        for suffix in ("txt", "json", "html")
    }

    assert codes == {1}
    assert "<!doctype html>" in (tmp_path / "report.html").read_text()[:20]


def test_a_plan_is_written_and_read_back(tmp_path):
    from fanin.prescription import Plan

    path = tmp_path / "plan.json"
    assert main(["plan", NET, *DATA, "--seed", "3", "-o", str(path)]) == 0
    assert Plan.load(path).seed == 3


def test_a_saved_plan_writes_the_weights_that_init_writes(tmp_path, capsys):
    import numpy as np

    plan, weights = tmp_path / "plan.json", tmp_path / "w.npz"
    words = [NET, *DATA, "--seed", "3"]
    main(["init", *words, "-o", str(weights), "--plan", str(plan)])
    for name, seed in (("same.npz", []), ("other.npz", ["--seed", "4"])):
        main(["apply", str(plan), NET, *seed, "-o", str(tmp_path / name)])

    first, same, other = (
        np.load(path)
        for path in (weights, tmp_path / "same.npz", tmp_path / "other.npz")
    )
    assert all(bool((first[path] == same[path]).all()) for path in first.files)
    assert not all(bool((first[path] == other[path]).all()) for path in first.files)
    assert "4 of 4 parameters written" in capsys.readouterr().out


def test_what_a_person_wishes_reaches_the_plan(tmp_path):
    from fanin.prescription import Plan

    path = tmp_path / "plan.json"
    words = ["--policy", "zero_branch", "--only", "2.*", "--seed-of", "2.weight=9"]
    assert main(["plan", NET, *DATA, *words, "-o", str(path)]) == 0

    plan = Plan.load(path)
    assert plan.policy == "zero_branch"
    assert [p.path for p in plan.prescriptions if p.is_kept] == ["0.weight", "0.bias"]
    assert plan["2.weight"].seed == 9


def test_policies_are_listed_and_shown(capsys):
    assert main(["policies"]) == main(["policies", "gpt2"]) == 0
    assert "Radford et al. 2019" in capsys.readouterr().out

    assert main(["policies", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema"] == "fanin.policies/1"


def test_init_saves_weights_that_a_model_can_load(tmp_path, capsys):
    import torch

    from fanin.cli.targets.python_object import load

    path = tmp_path / "weights.pt"
    assert main(["init", ZERO, *DATA, "--seed", "1", "-o", str(path)]) == 0

    net = load(f"{NETS}:make()")
    net.load_state_dict(torch.load(path))
    assert float(net[0].weight.detach().std()) > 0.1


def test_the_same_seed_saves_the_same_weights(tmp_path):
    import numpy as np

    for name in ("a.npz", "b.npz"):
        words = ["init", NET, *DATA, "--seed", "7", "-o", str(tmp_path / name)]
        assert main(words) == 0
    first, second = (np.load(tmp_path / name) for name in ("a.npz", "b.npz"))

    assert all(bool((first[path] == second[path]).all()) for path in first.files)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["explain", "zerro"], 2, "Did you mean 'zero'?"),
        (["schemes", "he_nornal"], 2, "Did you mean 'he_normal'?"),
        (["rule", "FAN999"], 2, "There is no rule 'FAN999'"),
        (["check", "nowhere.py:net"], 2, "there is no file 'nowhere.py'"),
        (["check", f"{NETS}:batch"], 2, "no model of PyTorch, Keras or JAX"),
        (["check", f"{NETS}:broken"], 3, "no such dataset"),
        (["check", NET, "--input", "12x9"], 3, "12, 9"),
        (["check", NET, "--input", "twelve"], 2, "no shape, file or object"),
        (["check", NET, "--select", "FAM1"], 2, "FAM1"),
        (["plan", NET, "--scheme", "hee_normal"], 2, "Did you mean 'he_normal'?"),
        (["plan", NET, "--override", "head"], 2, '"head.*=zeros"'),
        (["plan", NET, "--override", "haed*=zeros"], 2, "haed*"),
        (["plan", NET, "--override", "0.*=a", "--override", "0.*=b"], 2, "given 'a'"),
        (["plan", NET, "--policy", "gtp2"], 2, "Did you mean 'gpt2'?"),
        (["plan", NET, "--only", "haed.*"], 2, "haed.*"),
        (["plan", NET, "--seed-of", "2.*=x"], 2, "a whole number"),
        (["plan", NET, "--code", "caffe"], 2, "torch"),
        (["policies", "gtp2"], 2, "Did you mean 'gpt2'?"),
        (["apply", "nowhere.json", NET, "-o", "w.npz"], 2, "nowhere.json"),
        (["init", NET, "-o", "/nowhere/w.npz"], 2, "Cannot write '/nowhere/w.npz'"),
        (["init", NET, "-o", "weights.keras"], 2, "a file that ends in .pt"),
        (["explain", "zero", "-o", "/nowhere/z.html"], 2, "Cannot write"),
        (["compare", "--schemes", "he_nornal"], 2, "Did you mean 'he_normal'?"),
        (["compare", "--depth", "0"], 2, "depth"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_bad_input_is_one_clear_line_and_its_exit_code(words, code, says, capsys):
    assert main(words) == code

    said = capsys.readouterr()
    assert says in said.err
    assert said.out == ""
    assert len(said.err.strip().splitlines()) <= 2


def test_without_words_argparse_says_what_is_missing(capsys):
    assert main([]) == 2
    assert "VERB" in capsys.readouterr().err


def test_every_case_and_scheme_is_listed(capsys):
    assert main(["explain"]) == main(["schemes"]) == main(["rule"]) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("A1", "B6", "glorot_uniform", "FAN103"))


def test_a_scheme_is_shown_with_its_density_and_as_json(capsys):
    assert main(["schemes", "he_normal", "--fans", "512,10"]) == 0
    assert "std 0.0625" in capsys.readouterr().out
    assert main(["schemes", "he_normal", "--fans", "512,10", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["schemes"][0]["std"] == pytest.approx(
        0.0625
    )


def test_a_fault_of_our_own_is_exit_code_4_and_asks_for_a_report(monkeypatch, capsys):
    from fanin.cli.commands import rule

    def break_down(arguments):
        raise KeyError("lost")

    monkeypatch.setattr(rule, "run", break_down)
    assert main(["rule"]) == 4
    assert "This is a fault of fanin: please report it" in capsys.readouterr().err


def test_interrupting_is_exit_code_130(monkeypatch, capsys):
    from fanin.cli.commands import rule

    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(rule, "run", interrupt)
    assert main(["rule"]) == 130
