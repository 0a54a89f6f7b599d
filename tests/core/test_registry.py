import pytest

from isthmus.core import registry
from isthmus.core.registry import REGISTERED, register


@pytest.fixture(autouse=True)
def as_it_was():
    before = dict(REGISTERED)
    yield
    REGISTERED.clear()
    REGISTERED.update(before)


def test_a_class_registers_itself_under_its_own_name():
    @register("penalty")
    class TopHeavy:
        pass

    assert registry.parts("penalty")["top_heavy"] is TopHeavy
    assert registry.classes()["TopHeavy"] is TopHeavy
    assert registry.name_of(TopHeavy(), "penalty") == "top_heavy"


def test_another_name_several_slots_and_the_kind_of_column():
    @register("encoder", "decoder", name="mine")
    class Mine:
        pass

    @register("likelihood", column="count")
    class Rare:
        pass

    assert registry.parts("encoder")["mine"] is registry.parts("decoder")["mine"] is Mine
    assert registry.column_likelihoods()["rare"].column == "count"
    assert "multinomial" not in registry.column_likelihoods()


def test_name_of_what_is_not_registered():
    @register("penalty")
    class Known:
        pass

    class Child(Known):
        pass

    class OneOfMyOwn:
        pass

    assert registry.name_of(Child(), "penalty") == "known"
    assert registry.name_of(OneOfMyOwn(), "penalty") == "one_of_my_own"
    assert registry.name_of(Known(), "code") == "known"


def test_two_parts_of_one_name():
    register("penalty")(type("Same", (), {"__module__": "one"}))
    with pytest.raises(ValueError, match=r"a penalty called 'same' already, one.Same: give two.Same another name"):
        register("penalty")(type("Same", (), {"__module__": "two"}))
    again = type("Same", (), {"__module__": "one"})
    assert register("penalty")(again) is again
    assert registry.parts("penalty")["same"] is again


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("penalties",), {}), "unknown slot 'penalties'; did you mean 'penalty'"),
        ((("likelihood",), {"column": "counts"}), "unknown column 'counts'; did you mean 'count'"),
    ],
)
def test_slots_and_columns_that_are_not_known(arguments, message):
    slots, others = arguments
    with pytest.raises(ValueError, match=message):
        register(*slots, **others)


def test_names_in_snake_case():
    names = ["KLSparsity", "TopK", "L1", "FSQ", "BatchTopK", "StudentT"]
    assert [registry.snake_case(name) for name in names] == [
        "kl_sparsity",
        "top_k",
        "l1",
        "fsq",
        "batch_top_k",
        "student_t",
    ]
