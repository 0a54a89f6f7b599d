import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import NotFittedError

from isthmus import AutoEncoder, check
from isthmus.tasks.checking import RULES, Hit, rule
from isthmus.tasks.checking.samples import TableSample


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_diabetes, load_digits])
@pytest.mark.parametrize("as_frame", [False, True])
def test_clean_tables_get_no_warning_and_few_notes(load, as_frame):
    data = load(as_frame=as_frame)
    found = check(data.frame, target="target") if as_frame else check(data.data, target=data.target)
    assert found.worst in ("", "note"), str(found)
    assert len(found) <= 3


def test_a_clean_table_of_several_kinds_of_columns_gets_nothing(clean):
    assert list(check(clean)) == []


def test_all_kinds_of_tables_give_the_same_findings(clean, tmp_path):
    dirty = clean.assign(town=clean["town"].replace("Oslo", "?"), again=clean["height"])
    expected = check(dirty)
    assert expected.worst == "warning"
    path = tmp_path / "dirty.parquet"
    table = pa.Table.from_pandas(dirty, preserve_index=False)
    pq.write_table(table, path, row_group_size=70)
    for same in (pl.from_pandas(dirty), table, path, lambda: iter([dirty[:150], dirty[150:]])):
        assert check(same) == expected


def test_arrays_name_columns_by_their_position():
    X = np.random.default_rng(0).normal(size=(100, 3))
    X[:, 1] = 3
    (found,) = check(X)
    assert found.columns == ("1",)
    assert check(X.tolist()) == check(X)


def test_large_tables_are_sampled_and_say_so(monkeypatch, clean):
    monkeypatch.setattr("isthmus.tasks.checking.taking.CELLS", 600)
    monkeypatch.setattr("isthmus.tasks.checking.taking.LEAST_ROWS", 100)
    found = check(clean.assign(x=3.0))
    assert found.looked_at == "100 of 400 rows of 7 columns"
    assert [one.rule for one in found] == ["constant-column"]
    wild = clean.copy()
    wild.loc[7, "height"] = 1e9
    assert [one.columns for one in check(wild).by_rule("wild-cells")] == [("height",)]
    late = np.zeros((400, 2))
    late[:, 1] = np.arange(400) % 7
    late[201, 0] = 1.0
    assert not check(late).by_rule("constant-column")


def test_sources_give_their_target_by_name(clean, tmp_path):
    path = tmp_path / "clean.parquet"
    pq.write_table(pa.Table.from_pandas(clean.assign(y=clean["smoker"]), preserve_index=False), path)
    (found,) = check(path, target="y").by_rule("target-leak")
    assert found.columns == ("smoker",)
    with pytest.raises(ValueError, match="no column 'z' to be the target"):
        check(path, target="z")
    with pytest.raises(ValueError, match="must be the name of a column of X where X is a file"):
        check(path, target=np.zeros(400))


def test_rules_can_be_left_out(clean):
    dirty = clean.assign(x=0.0)
    assert [one.rule for one in check(dirty)] == ["constant-column"]
    assert not check(dirty, ignore=["constant-column"])
    with pytest.raises(ValueError, match="did you mean 'constant-column'"):
        check(dirty, ignore=["constant-colum"])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ({"a": [1]}, "pandas.DataFrame"),
        (np.empty((3, 0)), r"0 feature\(s\)"),
        (pd.DataFrame(index=range(3)), "no columns"),
        (3, "no table"),
        (None, "nothing to check"),
    ],
)
def test_what_is_no_table_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        check(X)


def test_other_bad_arguments_are_refused(clean):
    with pytest.raises(ValueError, match="no column 'nope' to be the target"):
        check(clean, target="nope")
    with pytest.raises(ValueError, match="400 values, one per row"):
        check(clean, target=[1, 2])
    with pytest.raises(ValueError, match="unknown scale"):
        check(clean, scale="big")
    with pytest.raises(NotFittedError):
        check(clean, AutoEncoder())
    with pytest.raises(FileNotFoundError):
        check("nowhere.parquet")


def test_a_rule_of_ones_own_is_asked_like_any_other(clean):
    words = {"about": "tall people", "consequence": "none", "mend": "none"}

    @rule("tall", "warning", TableSample, **words)
    def tall(sample):
        yield from (Hit("tall", 1, (c.name,)) for c in sample.columns if c.name == "height")

    try:
        assert [one.rule for one in check(clean)] == ["tall"]
    finally:
        del RULES["tall"]


def test_nothing_is_changed(clean):
    before = clean.copy()
    check(clean, target="smoker")
    pd.testing.assert_frame_equal(clean, before)
    X = scipy.sparse.random_array((60, 9), density=0.5, rng=np.random.default_rng(0), format="csr")
    copy = X.copy()
    check(X)
    assert (copy != X).nnz == 0


def test_tables_that_fit_refuses_are_an_error_and_still_looked_at(clean):
    found = check(clean.assign(height=np.inf, x=1.0))
    assert {"refused", "infinite-cells", "constant-column"} <= {one.rule for one in found}
    assert found.worst == "error"
    twice = pd.DataFrame(np.zeros((60, 2)), columns=["a", "a"])
    assert [one.rule for one in check(twice)] == ["refused"]
    assert check(clean[:0]).worst == "error"
