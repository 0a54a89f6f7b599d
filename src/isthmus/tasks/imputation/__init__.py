"""Imputation: the gaps of a table, filled by what fills hidden cells best."""

from isthmus.tasks.imputation.floor import ColumnFloor, ImputationFloor
from isthmus.tasks.imputation.imputer import Imputer

__all__ = ["ColumnFloor", "ImputationFloor", "Imputer"]
