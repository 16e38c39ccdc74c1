"""A file of data is read as it stands, or refused with the place that is wrong."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from fanin.errors import (
    ArgumentError,
    MissingDependencyError,
    ModelError,
    UnknownNameError,
)
from fanin.race.data import load
from fanin.race.files import read
from fanin.race.raw import Raw

CSV = "a,b,y\n1,2,red\n3,4,blue\n5,6,red\n7,8.5,blue\n"


def written(folder, text, name="train.csv"):
    path = folder / name
    path.write_text(text)
    return str(path)


def test_the_last_column_of_a_csv_is_learned_unless_another_is_named(tmp_path):
    path = written(tmp_path, CSV)
    numbers = written(tmp_path, CSV.replace("red", "1").replace("blue", "0"), "n.csv")

    last, named = read(path), read(numbers, target="a", task="regression")
    assert last.inputs.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8.5]]
    assert last.targets.tolist() == [1, 0, 1, 0]
    assert last.task == "classification"
    assert named.targets.tolist() == [[1], [3], [5], [7]]
    assert named.inputs[1].tolist() == [4, 0]


def test_a_column_of_inputs_that_is_no_number_is_named_with_its_row(tmp_path):
    path = written(tmp_path, CSV)

    with pytest.raises(ArgumentError, match=r"column 'y'; row 1 has none.*'red'"):
        read(path, target="b")
    gap = written(tmp_path, CSV.replace("3,4", "3,"), "gap.csv")
    with pytest.raises(ArgumentError, match="column 'b'; row 2 has none"):
        read(gap)


def test_an_uneven_row_is_named(tmp_path):
    path = written(tmp_path, "a,y\n1,2\n1\n")

    with pytest.raises(ArgumentError, match="2 fields in every row; row 2"):
        read(path)


def test_a_column_that_is_not_there_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(UnknownNameError, match="column in train"):
        read(written(tmp_path, CSV), target="z")


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(ArgumentError, match="a file that exists"):
        load("nowhere.csv")


def test_a_parquet_file_reads_as_the_csv_does(tmp_path):
    frame = pytest.importorskip("pandas").DataFrame(
        {"a": [1, 2, 3, 4], "y": ["n", "m", "n", "m"]}
    )
    path = str(tmp_path / "train.parquet")
    frame.to_parquet(path)

    found = read(path)
    assert found.inputs.tolist() == [[1], [2], [3], [4]]
    assert found.targets.tolist() == [1, 0, 1, 0]


def test_without_pyarrow_the_line_that_installs_it_is_given(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(MissingDependencyError, match=r"fanin\[parquet\]"):
        read(written(tmp_path, "", "train.parquet"))


def test_images_in_a_npz_keep_their_shape_and_one_scale(tmp_path):
    images = np.arange(8 * 3 * 4 * 4, dtype=np.uint8).reshape(8, 3, 4, 4)
    path = str(tmp_path / "images.npz")
    np.savez(path, inputs=images, targets=np.arange(8) % 2)

    found = load(path)
    assert found.image == (3, 4, 4)
    assert found.inputs.astype(np.float64).std() == pytest.approx(1.0, abs=1e-6)


def test_a_npz_that_holds_code_is_not_opened(tmp_path):
    path = str(tmp_path / "odd.npz")
    np.savez(path, inputs=np.array([{}, {}], dtype=object), y=np.zeros(2))

    with pytest.raises(ArgumentError, match="plain arrays"):
        read(path)


@pytest.mark.parametrize(
    ("targets", "task"),
    [
        (np.array([0.0, 1.0, 2.0, 1.0]), "classification"),
        (np.array([0.5, 1.0, 2.0, 1.0]), "regression"),
        (np.array([True, False, True, True]), "classification"),
        (np.ones((4, 2)), "regression"),
    ],
)
def test_the_task_is_read_off_the_targets(targets, task):
    assert Raw.of(np.eye(4), targets).task == task


def test_many_whole_numbers_are_quantities():
    assert Raw.of(np.zeros((60, 1)), np.arange(60)).task == "regression"


def test_an_entry_that_is_not_finite_is_named():
    inputs = np.zeros((4, 2))
    inputs[2, 1] = np.nan

    with pytest.raises(ArgumentError, match=r"finite everywhere; entry \(2, 1\)"):
        Raw.of(inputs, np.zeros(4))


def test_a_users_function_gives_the_data(tmp_path, monkeypatch):
    written(
        tmp_path,
        "import numpy as np\n"
        "def data():\n    return np.arange(40.).reshape(20, 2), np.arange(20) % 2\n"
        "def broken():\n    raise OSError('no disk')\n"
        "def alone():\n    return np.zeros(3)\n",
        "my_data.py",
    )
    monkeypatch.chdir(tmp_path)

    assert load("my_data.py:data").n_in == 2
    with pytest.raises(ArgumentError, match="a pair"):
        load("my_data.py:alone")
    with pytest.raises(UnknownNameError, match="no name in 'my_data"):
        load("my_data.py:dta")
    with pytest.raises(OSError, match="no disk"):
        load("my_data.py:broken")


def test_a_module_that_does_not_import_is_said_with_its_own_error(tmp_path):
    path = written(tmp_path, "1 / 0\n", "wrong.py")

    with pytest.raises(ModelError, match="ZeroDivisionError"):
        load(f"{path}:data")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("0,0,0,7\n1,2,3,4\n", "numbers alone"),
        ("a,b,a\n1,2,3\n", "stands there twice"),
        ("a,b,price\n1,2,3\n4,5,\n", "row 2 has none"),
        ("a,b,price\n1,2,nan\n4,5,6\n", "row 1 has none"),
    ],
)
def test_a_table_that_would_be_misread_is_refused(text, problem, tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(text)
    with pytest.raises(ArgumentError, match=problem):
        read(str(file))


@pytest.mark.parametrize("name", ["table.csv", "arrays.npz"])
def test_a_broken_file_is_an_argument_error(name, tmp_path):
    file = tmp_path / name
    file.write_bytes(b"a,b\n\xe9,1\n")
    with pytest.raises(ArgumentError, match=r"a whole \.(csv|npz) file"):
        read(str(file))
