"""Numbers that are written as text: found out how a column writes them, read, and written the same way.

"1,234.50", "1.234,50 €", "(12 %)": a column has one way, which a `NumberText` describes.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from isthmus.data.gaps import is_gap_text

Number: TypeAlias = int | float

BLANKS = " \u00a0\u2009\u202f"
"""The blanks that occur between digits: ordinary, no-break, thin and narrow no-break."""
CODES = (
    *("USD", "EUR", "GBP", "JPY", "CHF", "CNY", "RMB", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "ISK", "PLN"),
    *("CZK", "HUF", "RON", "BGN", "RUB", "UAH", "TRY", "ILS", "ZAR", "BRL", "MXN", "ARS", "CLP", "COP", "KRW", "TWD"),
    *("HKD", "SGD", "THB", "IDR", "MYR", "PHP", "VND", "AED", "SAR", "EGP", "NGN", "KES", "PKR", "BDT"),
)
"""Codes of currencies (ISO 4217)."""
CURRENCY = rf"(?:(?:US|A|C|HK|NZ|R|S)?\$|[€£¥₹₽₩₺₪₫₴฿₦₱]|Fr\.|[Kk]r\.?|zł|Kč|Ft|{'|'.join(CODES)})"
BLANK = f"[{BLANKS}]?"
TEXT = re.compile(
    rf"(?P<before>[-+−(]?{BLANK})(?P<prefix>(?:{CURRENCY}{BLANK})?)(?P<inside>[-+−]?)"
    rf"(?P<digits>\.?\d(?:[\d.,'’{BLANKS}]*\d)?[.,]?|,\d+)(?P<power>(?:[eE][-+]?\d+)?)"
    rf"(?P<suffix>(?:{BLANK}(?:{CURRENCY}|[%‰]))?)(?P<after>[-+−)]?)"
)
"""A number as text: signs, a currency, digits and marks, a power of ten, a currency or a percent sign."""
PLAIN = re.compile(r"(-?)(\d+(?:[.,]\d+)*)")
"""A number without anything around it, as most texts are: recognised faster."""
NINES = str.maketrans("0123456789", "9" * 10)
MARKS = (".", ",")
GROUPED = (".", ",", "'", "’", *BLANKS)
STYLES = ((".", ""), (",", ""), *((d, t) for d in MARKS for t in GROUPED if d != t))
"""(decimal mark, mark between thousands) of all ways to write digits."""
MOST_DIGITS = 18
"""Whole numbers of more digits are identifiers: card numbers, long keys."""
MOST_DECIMALS = 15
"""With more decimal places, numbers are written as short as is exact."""


class NumberText(NamedTuple):
    """How a column writes numbers.

    Examples
    --------
    >>> form = number_form({"$1,234.50": 3, "$12.00": 1}).form
    >>> form.value("$9,999,999.25"), form.value("12 EUR")
    (9999999.25, None)
    >>> form.text(-1234.5)
    '-$1,234.50'
    """

    positive: str = "#"
    """What stands around the digits of a number of at least 0, "#" for the digits."""
    negative: str = "-#"
    """The same of a negative number."""
    decimal: str = "."
    """The decimal mark."""
    thousands: str = ""
    """The mark between thousands; "" for none."""
    least: int = 0
    """Decimal places that are always written."""
    most: int = 0
    """Decimal places that are written if they are not 0."""

    @property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        return self.most == 0

    def value(self, text: str) -> Number | None:
        """Return the number that a text is; None if the text is not written in this way.

        Another sign, and thousands without marks, are accepted: they cannot be misread.
        """
        text = text.strip()
        if self.positive == "#" and in_form(self.decimal, self.thousands).fullmatch(text):
            plain = text.replace(self.thousands, "") if self.thousands else text
            return float(plain.replace(self.decimal, ".")) if self.decimal in plain else int(plain)
        found = parts(text)
        if found is None or found.affix != parts_of_pattern(self.positive):
            return None
        return found.value(self.decimal, self.thousands, grouped=False)

    def text(self, value: Number) -> str:
        """Return a number as the column writes it."""
        digits = self.digits(abs(value))
        return (self.negative if value < 0 else self.positive).replace("#", digits)

    def digits(self, value: Number) -> str:
        """Return the digits and marks of a number of at least 0."""
        if self.whole:
            return self.with_thousands(f"{round(value)}")
        if self.most > MOST_DECIMALS:
            plain = repr(float(value))
            whole, _, fraction = plain.partition(".") if "e" not in plain else (plain, "", "")
        else:
            whole, _, fraction = f"{value:.{self.most}f}".partition(".")
        fraction = fraction.rstrip("0").ljust(self.least, "0")
        return self.with_thousands(whole) + (self.decimal + fraction if fraction else "")

    def with_thousands(self, digits: str) -> str:
        """Return whole digits with marks between thousands."""
        return f"{int(digits):,}".replace(",", self.thousands) if self.thousands else digits


class Parts(NamedTuple):
    """A text that may be a number, taken apart."""

    pattern: str
    """The text with "#" for its digits."""
    affix: tuple[str, str]
    """The currency or percent sign before and after the digits."""
    negative: bool
    digits: str
    """Digits and marks."""
    power: str
    """A power of ten, such as "e-05"."""

    @property
    def shape(self) -> str:
        """Digits and marks, with nines for all digits but a zero at the beginning: what decides about marks."""
        zero = self.digits[0] == "0"
        return "0" * zero + self.digits[zero:].translate(NINES)

    def value(self, decimal: str, thousands: str, grouped: bool = True) -> Number | None:
        """Return the number, read with these marks; None if they do not fit.

        With `grouped`, numbers of four digits and more need the mark between thousands, if there is one.
        """
        if not fits(self.digits, decimal, thousands) and (grouped or not fits(self.digits, decimal, "")):
            return None
        plain = self.digits.replace(thousands, "") if thousands else self.digits
        plain = plain.replace(decimal, ".")
        value: Number = int(plain) if plain.isdigit() and not self.power else float(plain + self.power)
        return -value if self.negative else value


class Finding(NamedTuple):
    """What is found out about the texts of a column."""

    form: NumberText | None
    """How all of them are written as numbers; None if they are not."""
    readable: int = 0
    """How many of the values read as numbers."""
    problem: str = ""
    """Why there is no form: only "some" are numbers, in "mixed" ways, with "ambiguous" marks, or "codes" (0012)."""
    example: str = ""
    """A text that shows the problem."""


@lru_cache
def in_form(decimal: str, thousands: str) -> re.Pattern[str]:
    """Return the expression that most numbers with these marks match."""
    whole = rf"(?:[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{3}})+|\d+)" if thousands else r"\d+"
    return re.compile(rf"-?{whole}(?:{re.escape(decimal)}\d+)?")


def parts(text: str) -> Parts | None:
    """Take a text apart; None if it is no number."""
    text = text.strip()
    plain = PLAIN.fullmatch(text)
    if plain is not None:
        return Parts(f"{plain[1]}#", ("", ""), plain[1] == "-", plain[2], "")
    match = TEXT.fullmatch(text)
    if match is None:
        return None
    signs = [match[name].strip(BLANKS) for name in ("before", "inside", "after")]
    in_brackets = signs[0] == "(" and signs[2] == ")" and not signs[1]
    signed = [sign for sign in signs if sign]
    if not in_brackets and (len(signed) > 1 or signed[:1] in (["("], [")"])):
        return None
    negative = in_brackets or signed[:1] in (["-"], ["−"])
    pattern = f"{match['before']}{match['prefix']}{match['inside']}#{match['suffix']}{match['after']}"
    affix = match["prefix"].strip(BLANKS), match["suffix"].strip(BLANKS)
    return Parts(pattern, affix, negative, match["digits"], match["power"])


def parts_of_pattern(pattern: str) -> tuple[str, str]:
    """Return the currency or percent sign before and after the digits of a pattern of numbers of at least 0."""
    before, _, after = pattern.partition("#")
    return before.strip(BLANKS + "+"), after.strip(BLANKS + "+")


def fits(digits: str, decimal: str, thousands: str) -> bool:
    """Whether digits can be read with these marks.

    >>> fits("1,234", ",", ""), fits("1,234", ".", ","), fits("0,234", ".", ",")
    (True, True, False)
    """
    whole, mark, fraction = digits.partition(decimal)
    if (fraction and not fraction.isdigit()) or (mark and not whole and not fraction):
        return False
    if not whole:
        return True
    if not thousands or thousands not in whole:
        return whole.isdigit() and (not thousands or len(whole) <= 3)
    first, *groups = whole.split(thousands)
    return (
        first.isdigit()
        and len(first) <= 3
        and not first.startswith("0")
        and all(len(group) == 3 and group.isdigit() for group in groups)
    )


def number_form(counts: Mapping[str, int]) -> Finding:
    """Find out how a column writes numbers, from how often each text occurs.

    Texts that stand for missing values are passed over. All others must be numbers in one way, which must be the only
    one possible.

    Parameters
    ----------
    counts : mapping
        How often each text occurs.

    Examples
    --------
    >>> number_form({"1,234": 1, "12,345": 1}).problem
    'ambiguous'
    >>> number_form({"1,234": 1, "1,234,567": 1}).form.thousands
    ','
    >>> number_form({"00123": 1, "12345": 1}).problem
    'codes'
    """
    found = {text: parts(text) for text in counts if not is_gap_text(text)}
    known = {text: one for text, one in found.items() if one is not None and styles_of_shape(one.shape)}
    readable = sum(counts[text] for text in known)
    if len(known) < len(found):
        return Finding(None, readable, "some", next(text for text in found if text not in known))
    if not known:
        return Finding(None)
    code = next((text for text, one in known.items() if is_code(one)), None)
    if code is not None:
        return Finding(None, readable, "codes", code)
    styles = styles_of(known.values())
    if not styles or len({one.affix for one in known.values()}) > 1:
        return Finding(None, readable, "mixed", odd_one(known))
    style = settled(styles, known.values())
    if style is None:
        marked = next(text for text, one in known.items() if not one.digits.isdigit())
        return Finding(None, readable, "ambiguous", marked)
    return Finding(form_of(style, known.values()), readable)


def is_code(one: Parts) -> bool:
    """Whether whole digits are a code: they begin with a zero, or are too many to be an amount."""
    digits = one.digits
    return digits.isdigit() and not one.power and ((len(digits) > 1 and digits[0] == "0") or len(digits) > MOST_DIGITS)


@lru_cache(maxsize=4096)
def styles_of_shape(digits: str) -> frozenset[tuple[str, str]]:
    """Return all (decimal mark, mark between thousands) with which digits can be read."""
    return frozenset(style for style in STYLES if fits(digits, *style))


def styles_of(found: Iterable[Parts]) -> list[tuple[str, str]]:
    """Return the (decimal mark, mark between thousands) with which all digits can be read, and which occur in them."""
    shapes = {one.shape for one in found}
    together = "".join(shapes)
    fitting = [style for style in STYLES if all(style in styles_of_shape(digits) for digits in shapes)]
    if not any(mark in together for mark in GROUPED):
        return fitting[:1]
    occurring = [(d, t) for d, t in fitting if (t in together if t else d in together)]
    # Where no decimal mark occurs, one is as good as the other.
    return [(d, t) for d, t in occurring if d in together or d == next(e for e, u in occurring if u == t)]


def settled(styles: list[tuple[str, str]], found: Iterable[Parts]) -> tuple[str, str] | None:
    """Return the marks, if only one way to read all digits is sensible; None if two are.

    A mark that could be either, as in "1,234" and "12,345", stands between thousands if a value without it ("873") is
    there beside one that ends in a zero ("2,340"): with three decimal places the former would have the mark, too, and
    without zeros at the end the latter would not have one. A single point is a decimal point, as everywhere in Python,
    but not beside a currency, where "1.234 €" is common.
    """
    found = list(found)
    marked = [one for one in found if not one.digits.isdigit()]
    decimal = next((style for style in styles if not style[1]), None)
    if not marked or decimal is None:
        return styles[0]
    mark = decimal[0]
    if not all(fits(one.digits, MARKS[mark == "."], mark) for one in marked):
        return decimal
    thousands = next((style for style in styles if style[1]), None)
    if thousands is not None and len(marked) < len(found) and any(one.digits.endswith("0") for one in marked):
        return thousands
    return decimal if mark == "." and not any(any(one.affix) for one in found) else None


def form_of(style: tuple[str, str], found: Iterable[Parts]) -> NumberText:
    """Return how numbers are written that have these marks."""
    found = list(found)
    decimal, thousands = style
    places = {len(one.digits.partition(decimal)[2]) for one in found}
    least, most = min(places), max(places)
    if any(one.power for one in found):
        least, most = 0, MOST_DECIMALS + 1
    # As most are written; the same number may have a plus sign or none, or other brackets.
    positive = Counter(one.pattern for one in found if not one.negative).most_common(1)
    negative = Counter(one.pattern for one in found if one.negative).most_common(1)
    plus = positive[0][0] if positive else "".join(sign for sign in negative[0][0] if sign not in "-−()")
    minus = negative[0][0] if negative else "-" + plus.replace("+", "")
    return NumberText(plus, minus, decimal, thousands, least, most)


def odd_one(known: Mapping[str, Parts]) -> str:
    """Return a text that is not written as the first one is."""
    first, *others = known
    for text in others:
        if known[text].affix != known[first].affix or not styles_of([known[first], known[text]]):
            return text
    return first
