"""Numbers as they are said, and the same as they are written: "twenty three" and 23.

Reading is greedy: from each word on, the longest expression is taken: money, a percentage, a time, an ordinal, a
year, a row of digits, a number. Numbers below ten stay words where nothing is counted with them (people say "one" of
anything), and so does "a hundred" by itself. A comma or a full stop between two words keeps them apart.
Not covered: fractions, roman numbers, pounds (money or weight?), dates as a whole ("the third of may" has one ordinal).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

# fmt: off
_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("-", "-", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth",
)
# fmt: on
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))

_ONE = {word: value for value, word in enumerate(_ONES)}
_TEN = {word: 10 * value for value, word in enumerate(_TENS) if word != "-"}
_ORDINAL = {word: value for value, word in enumerate(_ORDINALS)} | {
    f"{word[:-1]}ieth": value for word, value in _TEN.items()
}
_ORDINAL_SCALE = frozenset(f"{name}th" for _, name in _SCALES)
_SCALE = {name: size for size, name in _SCALES}
_NUMBER_WORDS = frozenset(
    {*_ONE, *_TEN, *_SCALE, *_ORDINAL, *_ORDINAL_SCALE, "oh", "double", "point", "and", "a"}
)
_CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}
_DAY_HALVES = {("a", "m"): "AM", ("p", "m"): "PM", ("am",): "AM", ("pm",): "PM"}
_UNITS = frozenset({*_CURRENCIES, "cent", "cents", "percent", "per", "o'clock", "m", "p", "am", "pm"})
_BEFORE_TIMES = frozenset({"at", "by", "until", "till", "from", "around", "before", "after", "since"})
_LEAST = 10  # numbers from here on are written in digits by themselves
_GROUPED = 10_000  # from here on with commas
_DIGITS = 3  # so many digits in a row are a number that is read out


@dataclass(frozen=True)
class Numeral:
    """Words first … last - 1, written as one."""

    first: int
    last: int
    text: str


_Found = tuple[str, int] | None
"""How an expression is written, and the number of the word after it."""


def spell(number: int) -> list[str]:
    """Returns the words of a whole number from 0, as it is said."""
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *(spell(number % 10) if number % 10 else ())]
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    return [*spell(number // size), name, *(spell(number % size) if number % size else ())]


def spell_digits(digits: str) -> list[str]:
    """Returns how digits are said inside a name: as a number, four as a year, more or a zero in front one by one."""
    if len(digits) > 4 or digits.startswith("0"):
        return [_ONES[int(digit)] for digit in digits]
    number = int(digits)
    if 1100 <= number < 2100 and number % 1000 >= 10 and number % 100:
        last = spell(number % 100) if number % 100 >= 10 else ["oh", *spell(number % 10)]
        return [*spell(number // 100), *last]
    return spell(number)


def is_number_word(word: str) -> bool:
    """Tells whether a word may be a part of what is written in digits."""
    return word in _NUMBER_WORDS or word in _UNITS


def numerals(words: Sequence[str], ends: Sequence[bool] | None = None) -> list[Numeral]:
    """Returns what is written in digits, in the words' order.

    Args:
        words: in small letters.
        ends: for each word whether a mark follows, over which no number goes on.
    """
    found: list[Numeral] = []
    begin = place = 0
    while begin < len(words):
        end = next((i + 1 for i in range(begin, len(words)) if ends is not None and ends[i]), len(words))
        part = words[begin:end]
        place = 0
        while place < len(part):
            read = _read(part, place)
            if read is None:
                place += 1
                continue
            text, after = read
            found.append(Numeral(begin + place, begin + after, text))
            place = after
        begin = end
    return found


def value_of(words: Sequence[str]) -> int | None:
    """Returns the number that words say, all of them; None if they say none."""
    read = _cardinal(words, 0)
    return read[0] if read is not None and read[1] == len(words) else None


def _read(words: Sequence[str], place: int) -> _Found:
    """Returns what is written in digits from a word on."""
    if words[place] not in _NUMBER_WORDS or words[place] in ("and", "point"):
        return None
    readers: tuple[Callable[[Sequence[str], int], _Found], ...] = (
        _money, _percent, _time, _ordinal, _year, _digits, _number
    )  # fmt: skip
    for reader in readers:
        found = reader(words, place)
        if found is not None:
            return found
    return None


def _word(words: Sequence[str], place: int) -> str:
    return words[place] if place < len(words) else ""


def _below_hundred(words: Sequence[str], place: int) -> tuple[int, int] | None:
    word = _word(words, place)
    if word in _TEN:
        unit = _ONE.get(_word(words, place + 1), 0)
        return (_TEN[word] + unit, place + 2) if 0 < unit < 10 else (_TEN[word], place + 1)
    return (_ONE[word], place + 1) if word in _ONE else None


def _below_thousand(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """Returns a number below a thousand, or below ten thousand if it is counted in hundreds."""
    if _word(words, place) == "a" and _word(words, place + 1) == "hundred":
        head: tuple[int, int] | None = (1, place + 1)
    else:
        head = _below_hundred(words, place)
    if head is None or _word(words, head[1]) != "hundred" or head[0] == 0:
        return head
    value, after = 100 * head[0], head[1] + 1
    rest = _below_hundred(words, after + 1 if _word(words, after) == "and" else after)
    return (value, after) if rest is None or rest[0] == 0 else (value + rest[0], rest[1])


def _cardinal(words: Sequence[str], place: int) -> tuple[int, int] | None:
    """Returns a whole number and the number of the word after it."""
    total, smallest, last = 0, 10**12, place
    while True:
        begin = last
        if total and _word(words, begin) == "and":
            begin += 1
        if _word(words, begin) == "a" and _word(words, begin + 1) in ("thousand", "million", "billion"):
            part: tuple[int, int] | None = (1, begin + 1)
        else:
            part = _below_thousand(words, begin)
        if part is None or (total and part[0] == 0):
            break
        size = _SCALE.get(_word(words, part[1]), 1)
        if size in (1, 100):
            return (total + part[0], part[1]) if part[0] < smallest else (total, last)
        if size >= smallest or part[0] * size >= smallest or part[0] == 0:
            break
        total, smallest, last = total + part[0] * size, size, part[1] + 1
    return (total, last) if last > place else None


def _amount(words: Sequence[str], place: int) -> tuple[str, float, int] | None:
    """Returns a number that may have decimals: as it is written, its value, and the number of the word after it."""
    read = _cardinal(words, place)
    if read is None:
        return None
    value, after = read
    decimals = ""
    if _word(words, after) == "point" and value < 10**6:
        end = after + 1
        while (_word(words, end) in _ONE and _ONE[words[end]] < 10) or _word(words, end) == "oh":
            decimals += str(_ONE.get(words[end], 0))
            end += 1
        after = end if decimals else after
    if decimals:
        text = f"{_grouped(value)}.{decimals}"
        scale = _word(words, after)
        if scale in ("million", "billion"):
            return f"{text} {scale}", float(f"{value}.{decimals}") * _SCALE[scale], after + 1
        return text, float(f"{value}.{decimals}"), after
    for size, name in _SCALES[:2]:
        if value >= size and value % size == 0 and value // size < 1000:
            return f"{value // size} {name}", value, after
    return _grouped(value), value, after


def _grouped(value: int) -> str:
    return f"{value:,}" if value >= _GROUPED else str(value)


def _number(words: Sequence[str], place: int) -> _Found:
    found = _amount(words, place)
    if found is None or (found[2] - place == 1 and words[place] in _ONE and found[1] < _LEAST):
        return None
    text, value, after = found
    alone = words[place] == "a" and after == place + 2
    return None if alone or (value < _LEAST and "." not in text) else (text, after)


def _money(words: Sequence[str], place: int) -> _Found:
    found = _amount(words, place)
    if found is None:
        return None
    text, _, after = found
    sign = _CURRENCIES.get(_word(words, after))
    if sign is None:
        return None
    after += 1
    cents = _below_hundred(words, after + 1 if _word(words, after) == "and" else after)
    if cents is not None and _word(words, cents[1]) in ("cent", "cents") and "." not in text:
        return f"{sign}{text}.{cents[0]:02d}", cents[1] + 1
    return f"{sign}{text}", after


def _percent(words: Sequence[str], place: int) -> _Found:
    found = _amount(words, place)
    if found is None:
        return None
    text, _, after = found
    if _word(words, after) == "percent":
        return f"{text}%", after + 1
    if _word(words, after) == "per" and _word(words, after + 1) == "cent":
        return f"{text}%", after + 2
    return None


def _day_half(words: Sequence[str], place: int) -> _Found:
    for said, text in _DAY_HALVES.items():
        if tuple(words[place : place + len(said)]) == said:
            return text, place + len(said)
    return None


def _time(words: Sequence[str], place: int) -> _Found:
    hour = _ONE.get(words[place], 0)
    if not 1 <= hour <= 12:
        return None
    if _word(words, place + 1) in ("o'clock", "oclock"):
        return f"{hour} o'clock", place + 2
    minutes, after = "", place + 1
    if _word(words, after) == "oh" and 0 < _ONE.get(_word(words, after + 1), 0) < 10:
        minutes, after = f":0{_ONE[words[after + 1]]}", after + 2
    else:
        read = _below_hundred(words, after)
        if read is not None and 10 <= read[0] < 60:
            minutes, after = f":{read[0]}", read[1]
    half = _day_half(words, after)
    if half is not None:
        return f"{hour}{minutes} {half[0]}", half[1]
    if minutes and place and words[place - 1] in _BEFORE_TIMES and _word(words, after) not in _NUMBER_WORDS:
        return f"{hour}{minutes}", after
    return None


def _ordinal(words: Sequence[str], place: int) -> _Found:
    """Returns an ordinal from the tenth on; smaller ones are said of anything."""
    last = place
    while _word(words, last) in _NUMBER_WORDS and words[last] not in _ORDINAL_SCALE.union(_ORDINAL):
        last += 1
    word = _word(words, last)
    if word in _ORDINAL_SCALE:
        value = value_of([*words[place:last], word.removesuffix("th")])
    elif word in _ORDINAL:
        value = value_of([*words[place:last], *spell(_ORDINAL[word])])
    else:
        return None
    return None if value is None or value < _LEAST else (f"{_grouped(value)}{_ending(value)}", last + 1)


def _ending(value: int) -> str:
    if value % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")


def _year(words: Sequence[str], place: int) -> _Found:
    """Returns a year said as two numbers below a hundred: "nineteen eighty four", "twenty oh five"."""
    century = 20 if words[place] == "twenty" else _ONE.get(words[place], 0)
    if not 16 <= century <= 20:
        return None
    if _word(words, place + 1) == "oh" and 0 < _ONE.get(_word(words, place + 2), 0) < 10:
        return f"{century}0{_ONE[words[place + 2]]}", place + 3
    rest = _below_hundred(words, place + 1)
    if rest is None or rest[0] < 10 or _word(words, rest[1]) in _SCALE:
        return None
    return f"{century}{rest[0]}", rest[1]


def _digits(words: Sequence[str], place: int) -> _Found:
    """Returns digits that are read out; a count ("one two three") is none."""
    digits, after = "", place
    while after < len(words):
        twice = 2 if words[after] == "double" else 1
        word = _word(words, after + twice - 1)
        if word != "oh" and _ONE.get(word, 10) > 9:
            break
        digits += str(_ONE.get(word, 0)) * twice
        after += twice
    if _word(words, after) in _SCALE:
        return None
    counted = all(int(b) == int(a) + 1 for a, b in pairwise(digits))
    return (
        None
        if len(digits) < _DIGITS or counted or (words[place] == "oh" and len(digits) < 5)
        else (digits, after)
    )
