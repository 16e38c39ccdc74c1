from __future__ import annotations

import pytest

from fanin.config import Settings, nearest, read, settings_of
from fanin.errors import ArgumentError, UnknownNameError

TABLE = """\
[tool.fanin]
select = ["FAN1", "FAN2"]
extend-select = ["FAN901"]
ignore = ["FAN102"]
fail-on = "error"
baseline = "known.json"
optimizer = "adam"
lr = 1e-3
precision = "bfloat16"

[tool.fanin.per-param-ignores]
"head.*" = ["FAN501"]
"""


def test_every_setting_is_read_from_a_pyproject(tmp_path):
    path = tmp_path / "pyproject.toml"
    path.write_text(TABLE)

    assert read(path) == Settings(
        select=("FAN1", "FAN2"),
        extend_select=("FAN901",),
        ignore=("FAN102",),
        fail_on="error",
        baseline=tmp_path / "known.json",
        optimizer="adam",
        learning_rate=1e-3,
        precision="bfloat16",
        per_param_ignores={"head.*": ("FAN501",)},
    )


def test_a_fanin_toml_holds_the_same_words_without_a_table(tmp_path):
    path = tmp_path / "fanin.toml"
    path.write_text('select = ["FAN1"]\n["per-param-ignores"]\n"a" = "FAN101,FAN2"\n')

    assert read(path).per_param_ignores == {"a": ("FAN101", "FAN2")}


@pytest.mark.parametrize(
    ("word", "hint"), [("ignroe", "ignore"), ("failon", "fail-on"), ("per_param", "")]
)
def test_an_unknown_word_names_the_nearest_and_where_it_stands(tmp_path, word, hint):
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.fanin]\n{word} = []\n")

    with pytest.raises(UnknownNameError, match="pyproject") as caught:
        read(path)
    assert f"Did you mean '{hint}'" in str(caught.value) or not hint


@pytest.mark.parametrize(
    "table",
    [
        {"select": 3},
        {"select": [1]},
        {"fail-on": "fatal"},
        {"lr": 0},
        {"lr": True},
        {"lr": "fast"},
        {"precision": "float8"},
        {"per-param-ignores": ["head.*"]},
        {"optimizer": 1},
    ],
    ids=str,
)
def test_a_value_of_the_wrong_kind_is_refused(table):
    with pytest.raises(ArgumentError, match=next(iter(table))):
        settings_of(table)


def test_a_file_that_is_no_toml_is_refused(tmp_path):
    path = tmp_path / "fanin.toml"
    path.write_text("select = [")

    with pytest.raises(ArgumentError, match="TOML"):
        read(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="exists"):
        read(tmp_path / "none.toml")


def test_the_nearest_file_above_is_taken_and_one_without_settings_passed_over(tmp_path):
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(TABLE)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")

    assert nearest(inner) == tmp_path / "pyproject.toml"


def test_in_one_folder_a_fanin_toml_goes_first(tmp_path):
    (tmp_path / "pyproject.toml").write_text(TABLE)
    (tmp_path / "fanin.toml").write_text("")

    assert nearest(tmp_path) == tmp_path / "fanin.toml"


def test_nothing_is_read_from_nothing():
    assert read(None) == Settings()
    assert read({}) == Settings()
