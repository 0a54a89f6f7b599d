"""The likelihood of a table's columns."""

from isthmus.data.tables import TableScaling
from isthmus.parts import Bernoulli, Categorical, Gaussian, Mixed, NegativeBinomial, Poisson, StudentT


def table_likelihood(scaling: TableScaling) -> Mixed:
    """Return the likelihood of a table's cells."""
    families, cells, scored = [], [], []
    for name, sizes in scaling.groups:
        families.append(
            Categorical(sizes)
            if name == "categorical"
            else {
                "gaussian": Gaussian("columns"),
                "student_t": StudentT(),
                "calendar": Gaussian("columns"),
                "bernoulli": Bernoulli(),
                "poisson": Poisson(),
                "negative_binomial": NegativeBinomial(),
            }[name]
        )
        cells.append(sum(sizes))
        scored.append(name != "calendar")
    return Mixed(tuple(families), tuple(cells), tuple(scaling.feature_group.tolist()), tuple(scored))
