"""The colours of the report: each means one thing on the whole page."""

from typing import Literal

Whose = Literal["", "paper", "isthmus", "pca"]
"""Whose recipe a network follows; "" for images and numbers that no network made."""
COLOURS: dict[Whose, str] = {"paper": "#0b6e99", "isthmus": "#d9730d", "pca": "#7a858f", "": "#22282f"}
"""Blue is the paper's recipe, orange isthmus, grey PCA, and black what is printed, given or drawn."""
DIGITS = (
    *("#b5123e", "#3a8f3d", "#3f51d6", "#8a24ae", "#19a7c9"),
    *("#d631c4", "#7a4a1c", "#2f7f79", "#a88b00", "#11115e"),
)
"""The colours of the digits 0 to 9 in every plane of codes."""
