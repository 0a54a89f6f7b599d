"""Principal components of the rows of a table, as a network sees them."""

from collections.abc import Callable

from torch import Generator, Tensor

from isthmus.core.principal import WIDEST_EXACT, PrincipalComponents, principal_components
from isthmus.data.rows import Rows
from isthmus.data.sparse_principal import sparse_principal_components
from isthmus.data.table import Index


def components_of(
    rows: Rows, index: Index, features: int, rank: int | None, generator: Generator, seen: Callable[[Tensor], Tensor]
) -> PrincipalComponents:
    """Find the leading `rank` principal components of the rows at these positions.

    Wide sparse tables are never made dense: their components come from products with the non-zero cells.

    Parameters
    ----------
    rows
        The rows.
    index
        Which of them.
    features
        Columns F of what the encoder sees.
    rank
        How many components; None: as many as `principal_components` finds.
    generator
        For the first basis of wide tables.
    seen
        Maps scaled rows to what the encoder sees of them, (b, F).
    """
    if rows.table.sparse and features > WIDEST_EXACT:
        return sparse_principal_components(rows, index[:], rank, generator)

    def block(positions: Tensor) -> tuple[Tensor, Tensor | None]:
        x, weight = rows.batch(positions)
        return seen(x), weight

    blocks = list(index.split(rows.block))
    return principal_components(lambda: map(block, blocks), features, rank, generator)
