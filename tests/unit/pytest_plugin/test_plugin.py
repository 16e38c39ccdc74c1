from __future__ import annotations

import json
import subprocess
import sys

import pytest

from fanin.pytest_plugin.baseline import path_in
from fanin.rules import RULES

pytest_plugins = ["pytester"]

# Each run is a process of its own, as a user's is: a framework cannot be loaded twice.
NET = """
import torch

def make(zero=False):
    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(6, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
    )
    for parameter in net.parameters():
        if zero:
            torch.nn.init.zeros_(parameter)
    return net

def half():
    net = make()
    torch.nn.init.ones_(net[0].weight)
    return net

def raises():
    raise RuntimeError("no such dataset")
"""
BATCH = ["--fanin-input", "32x6"]
RULES_AND_ONE = len(RULES) + 1


@pytest.fixture
def run(pytester):
    pytester.makepyfile(net=NET)

    def start(*words, strict=True):
        quiet = ["-p", "no:randomly", "-p", "no:cacheprovider", "-q", "-rs"]
        strictly = ["-W", "error", "--strict-markers"] if strict else []
        return pytester.runpytest_subprocess(*quiet, *strictly, *words)

    return start


def test_importing_the_plugin_loads_no_room_of_fanin_and_no_framework():
    code = (
        "import sys, fanin.pytest_plugin; "
        "print(sorted(m for m in sys.modules if m.startswith('fanin')), "
        "[m for m in ('torch', 'keras', 'jax', 'numpy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "['fanin', 'fanin.pytest_plugin'] []"


def test_a_run_without_fanin_is_not_disturbed_in_any_way(run, pytester):
    pytester.makepyfile(
        test_bare="""
        import sys

        def test_nothing_of_fanin_is_loaded():
            loaded = [m for m in sys.modules if m.startswith("fanin.")]
            assert set(loaded) <= {"fanin.pytest_plugin"}
            assert "torch" not in sys.modules and "numpy" not in sys.modules
        """
    )
    bare = ["-p", "no:hypothesispytest", "-p", "no:jaxtyping"]
    alone = run(*bare)
    shared = run(*bare, "-n", "2")

    alone.assert_outcomes(passed=1)
    shared.assert_outcomes(passed=1)
    assert "fanin" not in alone.stdout.str().replace("test_nothing_of_fanin", "")


def test_a_healthy_model_passes_a_test_for_every_rule(run):
    result = run("--fanin", "net.py:make", *BATCH, "-vv")

    result.assert_outcomes(passed=RULES_AND_ONE)
    result.stdout.fnmatch_lines(
        [
            "fanin::net.py:make::can-be-checked PASSED*",
            "fanin::net.py:make::FAN101-never-moves PASSED*",
        ]
    )


@pytest.mark.slow
def test_a_dead_model_fails_the_test_of_one_rule_also_in_parallel(run):
    words = ["--fanin", "net.py:make(zero=True)", *BATCH, "--fanin-select=FAN1,FAN8"]
    result = run(*words, "-n", "2", "--dist=loadgroup")

    result.assert_outcomes(
        passed=sum(code[:4] in {"FAN1", "FAN8"} for code in codes()), failed=1
    )
    result.stdout.fnmatch_lines(
        [
            "cannot learn (proved): 1 error*",
            "FAN101 never-moves (error, proved)  0.weight, 0.bias and 2.weight",
            "To accept what is found as the baseline: pytest --fanin-update",
        ]
    )


def codes():
    return [rule.code for rule in RULES.values()]


@pytest.mark.slow
def test_a_baseline_is_written_accepted_and_told_when_it_is_out_of_date(run, pytester):
    words = ["--fanin", "net.py:make(zero=True)", *BATCH, "--fanin-select=FAN1"]
    run(*words, "--fanin-update").assert_outcomes(passed=n_of("FAN1") + 1)
    file = path_in(pytester.path, "net.py:make(zero=True)")
    stored = json.loads(file.read_text())
    run(*words).assert_outcomes(passed=n_of("FAN1") + 1)
    pytester.makepyfile(net=NET.replace("if zero", "if False"))
    mended = run(*words, "-rP")

    assert [(f["code"], f["place"]) for f in stored["findings"]] == [
        ("FAN101", "0.bias"),
        ("FAN101", "0.weight"),
        ("FAN101", "2.weight"),
    ]
    mended.assert_outcomes(passed=n_of("FAN1") + 1)
    mended.stdout.fnmatch_lines(["No longer found, though in the baseline: FAN101*"])


def n_of(family):
    return sum(code.startswith(family) for code in codes())


def test_without_the_framework_every_test_is_skipped_and_says_why(run, pytester):
    pytester.makeconftest(
        """
        import sys

        class Missing:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "torch":
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Missing())
        """
    )
    result = run("--fanin", "net.py:make", "-p", "no:jaxtyping")

    result.assert_outcomes(skipped=RULES_AND_ONE)
    result.stdout.fnmatch_lines(["SKIPPED * torch is not installed"])


def test_a_model_that_cannot_be_built_fails_once_and_shows_no_inner_traceback(run):
    result = run("--fanin", "net.py:raises")

    result.assert_outcomes(failed=1, skipped=RULES_AND_ONE - 1)
    result.stdout.fnmatch_lines(
        ["Building 'net.py:raises' raised RuntimeError: no su*"]
    )
    assert "Traceback" not in result.stdout.str()


def test_an_unknown_rule_is_a_usage_error(run):
    result = run("--fanin", "net.py:make", "--fanin-allow", "FAN999")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *FAN999*"])


def test_the_fixture_takes_the_marker_s_words_and_the_call_s_before_them(run, pytester):
    pytester.makepyfile(
        test_nets="""
        import pytest
        import torch

        import net

        BATCH = torch.linspace(-1, 1, 192).reshape(32, 6).sin()
        LABELS = torch.arange(32) % 3

        @pytest.mark.fanin(loss="cross_entropy", target=LABELS, select=["FAN1"])
        class TestNets:
            def test_a_healthy_net(self, check_init):
                assert check_init(net.make(), BATCH).coverage.n_rules > 1

            def test_a_dead_net(self, check_init):
                check_init(net.make(zero=True), BATCH)

            @pytest.mark.fanin(allow=["never-moves"])
            def test_an_allowed_one(self, check_init):
                assert not check_init(net.make(zero=True), BATCH).ok

            def test_the_call_decides(self, check_init):
                found = check_init(net.make(zero=True), BATCH, select=["FAN801"])
                assert found.coverage.n_rules == 1

        @pytest.mark.fanin(["FAN1"])
        def test_a_marker_with_a_bare_argument(check_init):
            pass
        """
    )
    result = run()

    result.assert_outcomes(passed=3, failed=1, errors=1)
    result.stdout.fnmatch_lines(["FAN101 never-moves (error, proved)*"])
    result.stdout.fnmatch_lines(["*@pytest.mark.fanin takes keywords only*"])


@pytest.mark.slow
def test_the_fixture_keeps_a_baseline_beside_the_test(run, pytester):
    pytester.makepyfile(
        test_nets="""
        import net

        def test_a_dead_net(check_init):
            check_init(net.make(zero=True), select=["FAN1"])
        """
    )
    run().assert_outcomes(failed=1)
    run("--fanin-update").assert_outcomes(passed=1)
    run().assert_outcomes(passed=1)

    assert [p.name for p in pytester.path.glob("__fanin__/*")] == [
        "test_nets.test_a_dead_net.json"
    ]
