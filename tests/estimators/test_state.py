import pytest
import torch

from isthmus.estimators.state import NOTHING, State, member, members, nest, prefixed

LEFT = State({"n": 1}, {"x": torch.ones(2), "deeper.y": torch.zeros(1)})
RIGHT = State({"n": 2, "of": {"m": 3}})


def assert_equal(one, other):
    assert one.facts == other.facts
    assert set(one.tensors) == set(other.tensors)
    for name, tensor in one.tensors.items():
        assert torch.equal(tensor, other.tensors[name])


def test_members_come_back():
    whole = nest({"left": LEFT, "right": RIGHT}, {"kind": "pair"}, {"own": torch.ones(1)})
    assert_equal(member("left", *whole), LEFT)
    assert_equal(member("right", *whole), RIGHT)
    assert whole.facts["kind"] == "pair"
    assert torch.equal(whole.tensors["own"], torch.ones(1))


def test_states_nest():
    inner = nest({"left": LEFT}, {"depth": 1})
    outer = nest({"inner": inner, "right": RIGHT})
    assert_equal(member("inner", *outer), inner)
    assert_equal(member("left", *member("inner", *outer)), LEFT)


@pytest.mark.parametrize("count", [0, 1, 12])
def test_numbered_members_come_in_their_order(count):
    states = [State({"place": place}, {"t": torch.tensor([place])}) for place in range(count)]
    whole = nest({f"model{place}": state for place, state in enumerate(states)}, {"model": "a fact"})
    found = list(members("model", *whole))
    assert len(found) == count
    for one, other in zip(found, states, strict=True):
        assert_equal(one, other)


def test_a_prefix_ends_at_a_dot():
    tensors = {"a.x": torch.ones(1), "ab.x": torch.zeros(1), "a": torch.zeros(1), "a.b.c": torch.ones(1)}
    assert sorted(prefixed(tensors, "a")) == ["b.c", "x"]


@pytest.mark.parametrize("facts", [{}, {"other": {}}, {"left": 3}, {"left": None}])
def test_a_missing_member_is_named(facts):
    with pytest.raises(ValueError, match="the saved state has no member 'left'; it has " + ("'" if facts else "none")):
        member("left", facts, {})


def test_nothing_is_shared():
    facts = {"a": 1}
    whole = nest({"left": LEFT}, facts)
    assert facts == {"a": 1}
    assert whole.facts["left"] is not LEFT.facts
    with pytest.raises(TypeError):
        NOTHING["x"] = torch.ones(1)
