"""How many rows to process together."""

LEAST_BLOCK, BLOCK_CELLS = 16, 2**17
"""At least so many rows, and about so many cells."""


def block_rows(features: int) -> int:
    """Return how many rows of that many columns to process together.

    Enough for an efficient matrix product, few enough to be small beside the data.
    """
    return max(LEAST_BLOCK, BLOCK_CELLS // max(1, features))
