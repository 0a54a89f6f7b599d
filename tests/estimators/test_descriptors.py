import pytest

from isthmus.estimators.descriptors import FromModel, available


class Model:
    def __init__(self, value, able=True):
        self.value, self.able = value, able


class Estimator:
    value_ = FromModel(lambda model: model.value)

    def __init__(self, model=None):
        self.model = model

    def fitted_model(self):
        return self.model

    @available(lambda model: model.able, "a model that is able: take another")
    def use(self, x, *, y=0):
        """Use it."""
        return x + y


def test_an_attribute_is_read_from_the_model():
    assert Estimator(Model(3)).value_ == 3
    assert Estimator(Model(0)).value_ == 0


def test_an_attribute_is_there_once_it_is_fitted():
    assert not hasattr(Estimator(), "value_")
    with pytest.raises(AttributeError, match="no attribute 'value_': the Estimator is not fitted"):
        Estimator().value_  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'value_': the Estimator has none for this table"):
        Estimator(Model(None)).value_  # noqa: B018


def test_an_attribute_follows_the_model():
    estimator = Estimator(Model(3))
    estimator.model = Model(4)
    assert estimator.value_ == 4
    assert isinstance(Estimator.value_, FromModel)


def test_a_method_is_there_unless_the_model_cannot():
    assert Estimator().use(1) == 1
    assert Estimator(Model(3)).use(1, y=2) == 3
    unable = Estimator(Model(3, able=False))
    assert not hasattr(unable, "use")
    with pytest.raises(AttributeError, match="`use` needs a model that is able: take another"):
        unable.use(1)


def test_a_method_looks_like_its_function():
    assert Estimator.use(Estimator(), 1, y=1) == 2
    assert Estimator.use.__doc__ == Estimator().use.__doc__ == "Use it."
    assert Estimator().use.__name__ == "use"
