from isthmus.paper import equations


def test_the_equations_hold():
    assert equations.minimum_of_squared_error().holds
    assert equations.minimum_of_cross_entropy().holds
