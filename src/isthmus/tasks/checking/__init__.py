"""Checking data before a fit, and models after it: what was found, with its number, its consequence and its mend.

Rules are found by discovery: one file per family in the folder `rules`.
"""

from isthmus.tasks.checking.check import check
from isthmus.tasks.checking.findings import Finding, Findings
from isthmus.tasks.checking.rule import RULES, Hit, Rule, rule

__all__ = ["RULES", "Finding", "Findings", "Hit", "Rule", "check", "rule"]
