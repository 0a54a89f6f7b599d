import sqlite3
from contextlib import closing

import duckdb
import pytest

from isthmus.data.files import open_file


@pytest.fixture
def sqlite(tmp_path):
    path = tmp_path / "shop.sqlite"
    with closing(sqlite3.connect(path)) as base, base:
        base.execute("create table orders (id text, total real, n)")
        base.executemany("insert into orders values (?, ?, ?)", [("007", 1.5, 1), ("12", None, ""), ("13", 2.0, 3)])
        base.execute('create table "my notes" (x)')
    return path


@pytest.fixture
def duck(tmp_path):
    path = tmp_path / "shop.duckdb"
    with closing(duckdb.connect(str(path))) as base:
        base.execute("create table orders as select '00' || i id, i * 0.5 total, sum(i) over () s from range(3) r(i)")
        base.execute("create view paid as select * from orders where total > 0")
    return path


def test_a_table(sqlite):
    file = open_file(f"{sqlite}::orders")
    assert file.data.to_pydict() == {"id": ["007", "12", "13"], "total": [1.5, None, 2.0], "n": [1, None, 3]}
    assert (file.name, file.format, file.found[0]) == ("shop orders", "sqlite", "SQLite, the table 'orders'")


def test_a_query(sqlite, duck):
    file = open_file(f"{sqlite}::select total, id from orders where typeof(n) = 'integer';", ids="id")
    assert (file.data.to_pydict(), file.ids.to_pydict()) == ({"total": [1.5, 2.0]}, {"id": ["007", "13"]})
    assert open_file(f"{duck}::select count(*) as n from paid").data.to_pydict() == {"n": [2]}


def test_duckdb(duck):
    file = open_file(f"{duck}::paid", exclude="s")
    assert [float(value) for value in file.data["total"].to_pylist()] == [0.5, 1.0]
    assert file.data["id"].to_pylist() == ["001", "002"]


@pytest.mark.parametrize("name", ["sqlite", "duck"])
def test_tables_are_listed(name, request):
    path = request.getfixturevalue(name)
    with pytest.raises(ValueError, match=r"holds 2 tables, and one must be named, as in .*; its tables are"):
        open_file(path)
    with pytest.raises(ValueError, match=r"has no table 'order'; its tables are .*; did you mean 'orders'"):
        open_file(f"{path}::order")
    with pytest.raises(ValueError, match=r"cannot be read: .*nonsense"):
        open_file(f"{path}::select nonsense from orders")


def test_nothing_is_written(sqlite, duck, tmp_path):
    before = sqlite.read_bytes()
    with pytest.raises(ValueError, match="cannot be read"):
        open_file(f"{sqlite}::with t as (select 1) delete from orders")
    assert sqlite.read_bytes() == before
    with pytest.raises(ValueError, match="cannot be read"):
        open_file(f"{duck}::from read_csv('/etc/passwd')")
    with pytest.raises(ValueError, match="has no table"):
        open_file(f"{duck}::drop table orders")


def test_no_rows_are_refused(sqlite):
    with pytest.raises(ValueError, match=r"'my notes' of shop.sqlite has no rows"):
        open_file(f"{sqlite}::my notes")


def test_a_damaged_database(sqlite):
    content = sqlite.read_bytes()
    sqlite.write_bytes(content[:100] + b"\xff" * 4000 + content[4100:])
    with pytest.raises(ValueError, match=r"shop\.sqlite cannot be read"):
        open_file(f"{sqlite}::orders")
