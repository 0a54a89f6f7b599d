import pytest

from isthmus.data.files.dialects import found_dialect


def found(text, delimiter=None, quote=None, header=None, **more):
    return found_dialect(text, "a.csv", delimiter, quote, header, **more)


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n3,4\n", ","),
        ("a;b\n1,5;2,5\n3,25;4\n", ";"),
        ("a\tb c\n1\tx, y\n2\tz\n", "\t"),
        ("a|b\n1|2\n", "|"),
        ("a   b\n1   2\n33  4\n", " "),
        ("a\n1,5\n2,5\n", ""),
        ("name\nAnn\nBob\n", ""),
        ('a,b\n"x;y",1\n"z;w",2\n', ","),
    ],
)
def test_delimiters_are_found(text, delimiter):
    assert found(text).delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "has_header"),
    [
        ("a,b\n1,2\n", True),
        ("1,2\n3,4\n", False),
        ("id,2019,2020\nx,1,7\ny,3,4\nz,5,1\n", True),
        (",0,1\n0,5,1\n1,7,3\n", True),
        ("5,6,7\n1,2,9\n4,2,2\n", True),
        ("Ann,Bonn\nBob,Köln\n", True),
        ("Ann,Bonn\nBob,Köln\nAnn,Bonn\n", False),
        ("day,v\n2024-01-02,1\n", True),
        ("n/a,1\n3,2\n4,5\n", False),
    ],
)
def test_names_are_found(text, has_header):
    dialect = found(text)
    assert dialect.has_header is has_header
    assert has_header or dialect.names[:2] == ("column_1", "column_2")
    assert found(text, header=not has_header).has_header is not has_header


def test_a_name_twice_is_refused_with_its_places():
    with pytest.raises(ValueError, match=r"2 columns called 'b' \(columns 2 and 4\)"):
        found("a,b,c,b\n1,2,3,4\n")


def test_a_missing_name_is_made_up_and_told():
    dialect = found(",b\n0,1\n1,2\n")
    assert dialect.names == ("column_1", "b")
    assert dialect.notes == ("column 1 has no name and is called 'column_1'",)


def test_a_wrong_delimiter_is_refused():
    with pytest.raises(ValueError, match=r"a semicolon does not stand between .*'a,b'; a comma makes 2 columns"):
        found("a,b\n1,2\n", delimiter=";")
    with pytest.raises(ValueError, match="must be one character"):
        found("a,b\n1,2\n", delimiter="::")


def test_remarks_and_the_line_of_excel_are_passed_over():
    dialect = found("sep=;\na;b\n1;2\n")
    assert (dialect.delimiter, dialect.skipped, dialect.names) == (";", 1, ("a", "b"))
    dialect = found("# made by hand\n#\n\na,b\n1,2\n")
    assert (dialect.skipped, dialect.names) == (3, ("a", "b"))
    assert dialect.notes == ("2 lines that begin with # were passed over",)


def test_apostrophes_around_cells_and_blanks_after_commas():
    assert found("a,b\n'x, y',1\n'z',2\n'w',3\n").quote == "'"
    assert found("a, b\n1, 2\n3, 4\n").after_blank
    assert not found("a,b\n1,x y\n3,z w\n").after_blank


def test_nothing_but_blank_lines_is_refused():
    with pytest.raises(ValueError, match="holds no rows"):
        found("\n\n")
