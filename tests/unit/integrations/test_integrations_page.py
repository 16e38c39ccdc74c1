"""What docs/integrations.md tells people to write works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "integrations.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
NAMED = re.compile(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", re.DOTALL)
FILES = dict(NAMED.findall(PAGE))
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
SCRIPTS = ["fit_lightning.py", "fit_keras.py", "fit_transformers.py"]


def environment():
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "KERAS_BACKEND": "torch"}


def run(words, folder, **more):
    return subprocess.run(
        words,
        cwd=folder,
        env={**environment(), **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.py").write_text(FILES["net.py"])
    return tmp_path


def test_every_file_of_the_page_is_tested():
    assert set(FILES) == {
        "net.py",
        "test_net.py",
        "cell.py",
        ".pre-commit-config.yaml",
        ".github/workflows/fanin.yml",
        *SCRIPTS,
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_and_reports_a_healthy_model(folder, name):
    (folder / name).write_text(FILES[name])
    done = run([sys.executable, name], folder)

    assert done.returncode == 0, done.stderr[-2000:]
    assert "healthy for this batch" in done.stdout


def test_the_test_file_passes_under_pytest(folder):
    (folder / "test_net.py").write_text(FILES["test_net.py"])
    done = run([BIN / "pytest", "-q", "-W", "error", "-p", "no:randomly"], folder)

    assert "3 passed" in done.stdout, done.stdout[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS, ids=lambda line: line.split()[0])
def test_a_command_runs_and_finds_nothing(folder, command):
    first, *rest = shlex.split(command)
    done = run([BIN / first, *rest], folder)

    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_a_cell_shows_the_report_as_a_notebook_would(folder, monkeypatch):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "net", raising=False)
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    cell = shell()
    try:
        result = cell.run_cell(FILES["cell.py"], store_history=False, silent=False)
        shown, _ = cell.display_formatter.format(result.result)
    finally:
        cell.history_manager.end_session()
        sys.modules.pop("net", None)

    assert result.success
    assert "healthy for this batch" in shown["text/html"]
    assert "<script" not in shown["text/html"]
    assert len(result.result.to_frame()) == len(result.result.findings)


# pre-commit


def git(*words, folder):
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    return subprocess.run(
        ["git", *identity, *words], cwd=folder, check=True, capture_output=True
    )


def a_repository(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git("init", "-q", folder=folder)
    git("add", ".", folder=folder)
    git("commit", "-qm", "Add", folder=folder)


@pytest.fixture
def hooks(tmp_path_factory):
    """A repository with the hooks of this one, under the tag of the page."""
    folder = tmp_path_factory.mktemp("hooks")
    name = ".pre-commit-hooks.yaml"
    a_repository(folder, {name: (ROOT / name).read_text()})
    git("tag", "v0.1.0", folder=folder)
    return folder


@pytest.mark.parametrize(
    ("target", "passes"),
    [
        pytest.param("net.py:make", True, id="healthy", marks=pytest.mark.slow),
        pytest.param("net.py:make(zero=True)", False, id="dead"),
    ],
)
def test_pre_commit_runs_the_hook(folder, hooks, target, passes):
    config = yaml.safe_load(FILES[".pre-commit-config.yaml"])
    (repo,) = config["repos"]
    repo["repo"] = str(hooks)
    repo["hooks"][0]["args"][0] = target
    a_repository(folder, {".pre-commit-config.yaml": yaml.safe_dump(config)})
    home = str(folder / ".cache")
    words = [BIN / "pre-commit", "run", "--all-files"]
    done = run(words, folder, PRE_COMMIT_HOME=home)

    assert (done.returncode == 0) is passes, done.stdout + done.stderr
    assert ("FAN101" in done.stdout) is not passes


# The action


def steps_of_the_action():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = {name: each.get("default") for name, each in action["inputs"].items()}
    assert action["runs"]["using"] == "composite"
    return action["runs"]["steps"], given


def filled(text, given):
    return re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], text)


def check_as_the_action_does(folder, target):
    workflow = yaml.safe_load(FILES[".github/workflows/fanin.yml"])
    steps, given = steps_of_the_action()
    given |= workflow["jobs"]["check"]["steps"][-1]["with"]
    given["target"] = target
    (step,) = (step for step in steps if step["name"] == "Check")
    said = {name: filled(text, given) for name, text in step["env"].items()}
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return run(words, folder, **said)


@pytest.mark.slow
def test_the_action_s_own_command_passes_a_healthy_model(folder):
    done = check_as_the_action_does(folder, "net.py:make")
    report = json.loads((folder / "fanin.sarif").read_text())

    assert done.returncode == 0, done.stderr
    assert report["version"] == "2.1.0"
    levels = {result["level"] for result in report["runs"][0]["results"]}
    assert levels <= {"note", "none"}


def test_the_action_s_own_command_fails_on_a_dead_one_and_annotates_it(folder):
    done = check_as_the_action_does(folder, "net.py:make(zero=True)")
    report = json.loads((folder / "fanin.sarif").read_text())

    assert done.returncode == 1
    assert "::error" in done.stdout
    assert "FAN101" in {r["ruleId"] for r in report["runs"][0]["results"]}


def test_what_is_put_into_the_action_is_never_run_as_code(folder):
    done = check_as_the_action_does(folder, 'net.py:make"; touch stolen; echo "')

    assert done.returncode not in {0, 1}
    assert not (folder / "stolen").exists()
    steps, _ = steps_of_the_action()
    assert not [step for step in steps if "${{" in step.get("run", "")]


def test_the_action_uploads_what_the_check_wrote_whatever_was_found():
    steps, _ = steps_of_the_action()
    upload = steps[-1]

    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    assert upload["with"]["sarif_file"] == "${{ inputs.sarif }}"
    assert "!cancelled()" in upload["if"]
