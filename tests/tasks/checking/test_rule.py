import pytest

from isthmus.tasks.checking import RULES, Hit, Rule, rule
from isthmus.tasks.checking.rule import gathered, named, where, with_names
from isthmus.tasks.checking.samples import TableSample

WORDS = {"about": "nothing", "consequence": "none", "mend": "drop {column} of {columns}, {{}}"}


def rule_of(hits):
    return Rule("mine", "note", TableSample, **WORDS, fitting=False, look=lambda sample: hits)


def test_a_finding_has_the_words_of_the_rule_unless_the_hit_has_its_own():
    first, second = rule_of(
        [Hit("one", 1, ("a",)), Hit("two", 2, ("a", "b"), severity="error", consequence="some", mend="none")]
    ).findings(None)
    assert (first.severity, first.consequence, first.mend) == ("note", "none", "drop 'a' of ['a'], {}")
    assert (second.severity, second.consequence, second.mend) == ("error", "some", "none")
    assert second.where == "columns 'a', 'b'"


def test_names_with_braces_and_quotes_are_written_as_they_are():
    assert next(iter(rule_of([Hit("one", 1, ("{x}'",))]).findings(None))).mend.startswith('drop "{x}\'"')


def test_many_columns_share_a_finding_that_tells_of_the_worst():
    hits = [Hit(f"share {j}", j, (f"x{j}",)) for j in range(9)]
    (one,) = gathered(hits)
    assert one.columns[0] == "x8"
    assert set(one.columns) == {f"x{j}" for j in range(9)}
    assert one.number == "in 'x8', share 8"
    assert where(one) == "columns 'x8', 'x0', 'x1', 'x2', 'x3' and 4 more"


def test_few_columns_and_different_mends_stay_apart():
    assert len(list(gathered([Hit("", j, (j,)) for j in range(3)]))) == 3
    assert len(list(gathered([Hit("", j, (j,), mend=f"mend {j}") for j in range(9)]))) == 9


def test_names_are_quoted():
    assert named(["a", 3]) == "'a', 3"


def test_a_second_rule_of_a_name_is_refused():
    with pytest.raises(ValueError, match=r"called 'constant-column' already, in isthmus\.tasks\.checking\.rules"):
        rule("constant-column", "note", TableSample, **WORDS)(lambda sample: [])
    with pytest.raises(ValueError, match="unknown severity 'bad'"):
        rule("mine", "bad", TableSample, **WORDS)


def test_every_rule_says_what_comes_of_it_and_what_to_do():
    for one in RULES.values():
        assert one.about, one.name
        assert one.consequence, one.name
        assert with_names(one.mend, ["x"]), one.name
        assert one.name == one.name.lower(), one.name
