import numpy as np

RNG = np.random.default_rng(0)


def test_many_categories_are_told(told, clean):
    (found,) = told("many-categories", clean.assign(town=[f"town {j}" for j in RNG.integers(0, 150, 400)]))
    assert found.value > 64
    assert found.severity == "warning"
    assert not told("many-categories", clean)


def test_rare_categories_are_told(told, clean):
    rare = np.where(np.arange(400) < 12, [f"t{j // 2}" for j in range(400)], clean["town"])
    assert told("rare-categories", clean.assign(town=rare))[0].value == 6
    assert not told("rare-categories", clean)


def test_spellings_are_told(told, clean):
    town = clean["town"].mask(RNG.random(400) < 0.2, clean["town"].str.upper() + " ")
    (found,) = told("spelling", clean.assign(town=town))
    assert found.value == 3
    assert not told("spelling", clean.assign(town=clean["town"].map({"Oslo": "A-1", "Bergen": "B", "Trondheim": "C"})))
    assert not told("spelling", clean.assign(size=RNG.choice(["1-2", "12", "x"], 400)))


def test_codes_are_no_amounts(told, clean):
    codes = RNG.choice([1010, 2020, 5003, 7030], 400)
    (found,) = told("numbers-as-names", clean.assign(zip_code=codes))
    assert "columns={'zip_code': 'category'}" in found.mend
    assert not told("numbers-as-names", clean.assign(zip_code=codes), columns={"zip_code": "category"})
    assert not told("numbers-as-names", clean.assign(price=codes))
