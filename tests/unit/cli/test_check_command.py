"""What `fanin check` does with its options, on a net that cannot learn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fanin.cli import main
from fanin.cli.commands.check import exit_code
from fanin.rules import Report, Verdict

NETS = Path(__file__).parent / "nets.py"
ZERO = f"{NETS}:make(zero=True)"
DATA = ["--input", f"{NETS}:batch", "--loss", "cross_entropy", "--isolated"]


@pytest.fixture
def check(capsys):
    """Run the command; give its exit code, stdout and stderr."""

    def run(*words, target=ZERO, data=tuple(DATA)):
        code = main(["check", target, *data, *words])
        return code, *capsys.readouterr()

    return run


def test_several_formats_are_written_in_one_run(check, tmp_path):
    sarif, junit = tmp_path / "out.sarif", tmp_path / "out.xml"
    code, out, _ = check("--format", f"sarif:{sarif}", "--format", f"junit:{junit}")

    assert code == 1
    assert json.loads(sarif.read_text())["version"] == "2.1.0"
    assert junit.read_text().startswith("<?xml")
    assert "FAN101 never-moves" in out


def test_a_format_without_a_file_is_all_that_stands_on_stdout(check):
    _, out, _ = check("--format", "json")

    assert json.loads(out)["schema"] == "fanin.check/1"


def test_the_target_is_named_in_the_report(check):
    assert json.loads(check("--format", "json")[1])["target"] == ZERO


def test_an_unknown_format_is_usage_and_names_the_nearest(check):
    code, _, err = check("--format", "sarfi")

    assert (code, "Did you mean 'sarif'" in err) == (2, True)


def test_exit_zero_prints_what_it_found(check):
    code, out, _ = check("--exit-zero")

    assert (code, "cannot learn (proved)" in out) == (0, True)


def test_fail_on_is_read_from_the_settings_and_the_option_goes_before(
    check, tmp_path, monkeypatch
):
    (tmp_path / "fanin.toml").write_text('fail-on = "never"\n')
    monkeypatch.chdir(tmp_path)
    data = tuple(word for word in DATA if word != "--isolated")

    assert check(data=data)[0] == 0
    assert check("--fail-on", "error", data=data)[0] == 1
    assert check("--isolated", data=data)[0] == 1


def test_settings_can_be_named(check, tmp_path):
    path = tmp_path / "fanin.toml"
    path.write_text('select = ["FAN801"]\n')
    data = tuple(word for word in DATA if word != "--isolated")
    code, out, _ = check("--config", str(path), "--format", "json", data=data)

    assert (code, json.loads(out)["coverage"]["rules"]) == (0, 1)


def test_a_wrong_setting_is_one_clear_error(check, tmp_path):
    path = tmp_path / "fanin.toml"
    path.write_text("selct = []\n")
    data = tuple(word for word in DATA if word != "--isolated")
    code, out, err = check("--config", str(path), data=data)

    assert (code, out) == (2, "")
    assert "There is no setting of fanin.toml 'selct'. Did you mean 'select'?" in err


def test_a_named_file_of_settings_contradicts_reading_none(check, tmp_path):
    assert check("--config", "x.toml")[0] == 2


def test_a_baseline_is_written_and_then_known(check, tmp_path):
    path = tmp_path / "known.json"
    written = check("--write-baseline", str(path))
    again = check("--baseline", str(path), "--format", "json")

    assert (written[0], again[0]) == (0, 0)
    assert f"to {path}" in written[2]
    assert {s["by"] for s in json.loads(again[1])["suppressed"]} == {"baseline"}


def test_a_baseline_that_is_stale_says_so(check, tmp_path):
    path = tmp_path / "known.json"
    check("--write-baseline", str(path))
    _, out, _ = check("--baseline", str(path), target=f"{NETS}:make")

    assert "No longer found, though in the baseline: FAN101" in out


def test_fix_draws_again_saves_and_checks_again(check, tmp_path):
    path = tmp_path / "w.npz"
    code, out, _ = check("--fix", "-o", str(path))

    assert code == 0
    assert out.startswith("Before: cannot learn (proved)")
    assert "healthy for this batch" in out
    assert any(np.load(path)[name].any() for name in np.load(path).files)


def test_fix_needs_a_file_for_the_weights(check):
    code, _, err = check("--fix")

    assert (code, "the file for the new weights" in err) == (2, True)


def test_fix_refuses_a_file_that_it_cannot_write_before_it_checks(check, tmp_path):
    assert check("--fix", "-o", str(tmp_path / "w.docx"))[0] == 2
    assert check("--fix", "-o", str(tmp_path / "no" / "w.npz"))[0] == 2


def test_quick_rests_the_rules_that_need_the_closure(check):
    cover = json.loads(check("--quick", "--format", "json")[1])["coverage"]

    assert "FAN101" in cover["unasked"]


def test_statistics_count_by_rule(check):
    _, out, _ = check("--statistics")

    assert out.splitlines()[0].split()[1:] == ["FAN101", "never-moves", "error"]
    assert out.splitlines()[-1].startswith("cannot learn (proved): ")


def test_the_optimizer_is_an_option(check):
    words = ["--select", "FAN304,FAN306", "--format", "json", "--fail-on", "never"]
    target = f"{NETS}:make"
    found = check("--optimizer", "sgd", "--lr", "1e9", *words, target=target)

    assert [f["code"] for f in json.loads(found[1])["findings"]] == ["FAN306"]


@pytest.mark.parametrize("words", [["--lr", "0.1"], ["--optimizer", "adm"]], ids=str)
def test_a_training_that_cannot_be_is_usage(check, words):
    assert check(*words)[0] == 2


def test_extended_selection_adds_rules(check):
    words = ["--select", "FAN801", "--extend-select", "FAN101", "--format", "json"]

    assert json.loads(check(*words)[1])["coverage"]["rules"] == 2


def test_what_could_not_be_checked_is_not_clean():
    assert exit_code(Report(verdict=Verdict.NOT_CHECKED), "warning") == 3
    assert exit_code(Report(verdict=Verdict.HEALTHY), "warning") == 0


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("raise ValueError('no')", 3),
        ("import sys; sys.exit(0)", 3),
        ("raise KeyboardInterrupt", 130),
        ("import no_such_module", 3),
    ],
)
def test_code_that_ends_early_is_never_clean(tmp_path, source, code):
    path = tmp_path / "broken_net.py"
    path.write_text(source + "\n")

    assert main(["check", f"{path}:make"]) == code


def test_the_terminal_shows_the_line_that_built_the_layer(check):
    out = check()[1]

    assert "nets.py:" in out
    assert "--> " in out


def test_the_rule_command_writes_json_and_markdown(capsys):
    assert main(["rule", "FAN101", "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert main(["rule", "--format", "markdown"]) == 0
    table = capsys.readouterr().out

    assert data["rules"][0]["code"] == "FAN101"
    assert "What it finds" in data["rules"][0]["sections"]
    assert table.startswith("| code | name |")
