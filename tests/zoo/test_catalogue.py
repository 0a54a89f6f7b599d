import pytest

from isthmus import zoo
from isthmus.zoo.catalogue import entry_of
from isthmus.zoo.family import describe
from isthmus.zoo.preset import FAMILIES


def test_every_preset_is_in_it_with_one_sentence():
    entries = zoo.catalogue()
    assert [entry.name for entry in entries] == [preset.__name__ for presets in FAMILIES.values() for preset in presets]
    for entry in entries:
        assert entry.summary.endswith(".")
        assert "\n" not in entry.summary
        assert entry.docstring.startswith(entry.summary[:20])
        assert entry.name in describe()
        assert entry.parts in describe()


def test_one_of_them():
    entry = entry_of("k-sparse")
    assert entry.call == "k_sparse(latent=1000, top_k=25, alpha=1.0, hidden=())"
    assert (entry.family, entry.parameters["top_k"]) == ("sparse", 25)
    with pytest.raises(ValueError, match="unknown preset 'sprse'; did you mean 'sparse'"):
        entry_of("sprse")
