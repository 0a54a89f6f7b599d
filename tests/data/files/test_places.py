import pytest

from isthmus.data.files.places import chosen_part, meant, place_of, refuse_absent


def test_a_part_is_taken_off():
    place = place_of("a/base.sqlite::select a::text from t")
    assert (place.path.name, place.part, place.shown) == ("base.sqlite", "select a::text from t", "base.sqlite")


def test_a_file_whose_name_holds_the_mark_comes_first(tmp_path):
    file = tmp_path / "a::b.csv"
    file.write_text("x\n1\n")
    assert place_of(file).path == file


def test_a_missing_file_names_those_like_it(tmp_path):
    (tmp_path / "loans.csv").write_text("a\n1\n")
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*loan\.csv; did you mean .*loans\.csv\?"):
        refuse_absent(place_of(tmp_path / "loan.csv"))
    with pytest.raises(FileNotFoundError, match=r"did you mean .*loans.csv"):
        refuse_absent(place_of(tmp_path / "loans.parquet"))
    with pytest.raises(FileNotFoundError, match=r"the folder .* does not exist"):
        refuse_absent(place_of(tmp_path / "no" / "loans.csv"))
    with pytest.raises(FileNotFoundError, match="no file matches"):
        refuse_absent(place_of(tmp_path / "*.parquet"))


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.csv").touch()
    with pytest.raises(ValueError, match="is empty"):
        refuse_absent(place_of(tmp_path / "a.csv"))


def test_a_file_that_must_not_be_read_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.csv").write_text("a\n1\n")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="must not be read by this user"):
        refuse_absent(place_of(tmp_path / "a.csv"))


def test_a_wrong_part_lists_those_that_are_there():
    place = place_of("book.xlsx::Mai")
    with pytest.raises(ValueError, match="no sheet 'Mai'; its sheets are May, June; did you mean 'May'"):
        chosen_part(place, "sheet", ["May", "June"])
    assert chosen_part(place_of("book.xlsx::may"), "sheet", ["May", "June"]) == "May"
    assert meant("zzz", ["May"]) == ""
