"""How the report writes numbers: one format per quantity, in tables and in sentences."""

import math
import statistics
from collections.abc import Sequence

ERROR, NATS, ENTROPY, DECIBELS, PERCENT, SECONDS = 5, 1, 4, 1, 1, 1
"""Decimal places of squared errors, nats per image, nats per pixel, decibels, percentages and seconds."""
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def decimal(value: float, places: int) -> str:
    """Return a number with so many decimal places, with commas between thousands and a true minus sign."""
    text = f"{value:,.{places}f}"
    return text.replace("-", "−") if float(text.replace(",", "")) else text.removeprefix("-")


def error(value: float) -> str:
    """Return a squared error per pixel with five decimal places, as the notebook prints them."""
    return decimal(value, ERROR)


def percent(share: float) -> str:
    """Return a share as a percentage."""
    return f"{decimal(100 * share, PERCENT)} %"


def decibels(value: float) -> str:
    """Return a ratio in decibels."""
    return f"{decimal(value, DECIBELS)} dB"


def seconds(value: float) -> str:
    """Return a time in seconds, without the unit; a time that rounds to nothing is below a tenth."""
    return decimal(value, SECONDS) if value >= 0.05 else "<0.1"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, in the singular or the plural: "1 epoch", "1,000 epochs"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def magnitude(value: float) -> str:
    """Return how large a number of at least 0 is: "0", or a digit times a power of ten, without a place to break it."""
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(value))
    digit = round(value / 10.0**exponent)
    if digit == 10:
        digit, exponent = 1, exponent + 1
    return f"{digit}\u00a0×\u00a010{str(exponent).translate(SUPERSCRIPTS)}"


def mean_and_spread(values: Sequence[float], places: int) -> str:
    """Return the mean as text, with the standard deviation if there are several values."""
    mean = decimal(statistics.fmean(values), places)
    return mean if len(values) == 1 else f"{mean} ± {decimal(statistics.stdev(values), places)}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: "a", "a and b", "a, b and c"."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
