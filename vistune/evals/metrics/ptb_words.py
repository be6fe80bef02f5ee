"""Words and symbols that Penn Treebank tokenisation treats apart, as pieces of regular expressions (see `ptb`)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


def _any(words: str) -> str:
    return "(?:" + "|".join(sorted(words.split(), key=len, reverse=True)) + ")"


def _ranges(codes: str) -> str:
    """`2190-245f` and the like as the inside of a character class."""
    return "".join("-".join(f"\\u{int(end, 16):04x}" for end in code.split("-")) for code in codes.split())


APOSTROPHE = "['\u0092\u2019]"
TICK = "['\u0092\u2019`\u0091\u2018\u201b]"

# Titles, months, states, companies and units keep their full stop, some states only when capitalised.
ALWAYS_ABBREVIATED = (
    "(?:(?i:"
    + _any("""
    invt elec natl m[ft]g dept ph drs? profs? sens? reps? attys? lt col gen messrs govs? adm rev maj sgt cpl pvt capt ste? ave
    pres lieut hon brig co?mdr pfc spc supts? det mr mrs ms mme mlle mt ft insp asst vs cf alex wm jos cie adj
    jan feb mar apr jun jul aug sept? oct nov dec mon tues? wed thu thurs fri ala ariz calif colo conn ct dak fla ga ind kans?
    ky md mich minn mo mont neb nev okla penn tenn va vt wisc? wyo inc cos? corp pt[ye]s? ltd plc rt bancorp bhd assn univ
    intl sys tel est ext sq jr sr bros esq blvd rd etc al seq bldg (?:ed|ph)\\.d
    """)
    + ")|"
    + _any("[A](?i:z) A(?i:rk) D(?i:el) I(?i:ll) L(?i:a) M(?i:ass) M(?i:iss) O(?i:re) P(?i:a) T(?i:ex) W(?i:ash)")
    + ")"
)
# These do so before a number only.
BEFORE_NUMBER = "(?i:" + _any("ca figs? prop nos? art pp op") + ")"

# Before these a letter's full stop ends a sentence ("vitamin C. The").
SENTENCE_STARTS = (
    "(?=[A-Z])(?i:"
    + _any(
        """
    a about according additionally after an as at but earlier he her here however if in it last many more now once one other
    our she since so some such that the their then there these they this we what when while yet you mr\\. ms\\. mrs\\.
    """
    )
    + ")"
)

# Words that hold, begin or end with an apostrophe, written @.
_APOSTROPHE_WORDS = """
cap@n c@est @n@ @n(?=\\s|$) [ldj]@ dunkin@ somethin@ ol@ @em @[2-9]0s @till? @cause cont@d nor@easter c@mon e@er s@mores
ev@ry li@l nat@l
"""
WITH_APOSTROPHE = "(?i:" + _any(_APOSTROPHE_WORDS.replace("@", APOSTROPHE)) + ")"

# Symbols that are tokens of their own; any other that is no letter, digit or punctuation vanishes.
KEPT_SYMBOLS = _ranges(
    """
    24-27 2a-2c 2e-2f 3a-3e 40 5c 5e-60 7c 7e a1 a5 a6-a9 ac ae-b4 b6-b9 bf d7 f7 37e 387 589 5be 5c0 5c3 5c6 5f3-5f4 600-603
    606-60c 614 61b 61e-61f 66a 66d 6d4 700-70d 7f6-7f8 964-965 e3f e4f 1fbd 2016-2017 201a 201e-2023 2030-2038 203b 203e-2042
    2044 2070 2074-207e 2080-208e 20a4 2100-2101 2103-2106 2108-2109 2114 2116-2118 211e-2123 2125 2127 2129 212e 213a-213b
    2140-2144 214a-214d 214f 2155-215e 2190-24ff 2500-2bff 3001-3002 3012 30fb ff01-ff0f ff1a-ff20 ff3b-ff40 ff5b-ff65
    ffe0-ffe1 ffe5-ffe6
    """
)
SPELLED: Mapping[str, str] = MappingProxyType(
    {"\u00a2": "cents", "\u00a3": "#", "\u00bc": "1/4", "\u00bd": "1/2", "\u00be": "3/4", "\u2153": "1/3", "\u2154": "2/3"}
    | dict.fromkeys("\u0080\u00a4\u20a0\u20ac", "$")
)

# Beyond the basic plane nothing is a letter, nor are numbers in circles, raised or lowered; marks belong to their word.
NO_LETTERS = "[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u2089\u2150-\u218b\u2460-\u24ff\u2776-\u2793\U00010000-\U0010ffff]"
MARKS = "\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u064b-\u065e\u0670\u0900-\u0903\u093c\u093e-\u094e"
