"""`like`, Java's regular expressions and replacements; the expected answers are a Java engine's."""

from __future__ import annotations

import pytest

from epl.java import PatternError, compile_regex, java_replacement, like_for, like_matcher, regex_for
from epl.java.strings import replace_all, replace_first, split
from epl.registry import RuleError


@pytest.mark.parametrize(
    ("pattern", "escape", "hits", "misses"),
    [
        ("abc", None, ["abc"], ["abcd", "ABC", ""]),
        ("", None, [""], ["a"]),
        ("%", None, ["", "a\nb"], []),
        ("abc%", None, ["abc", "abcd", "abc\n"], ["ab", "xabc"]),
        ("%abc", None, ["abc", "xabc"], ["abcx", "abc\n"]),
        ("%b%", None, ["b", "abc"], ["ac", ""]),
        ("a%c", None, ["ac", "abc", "a\nc"], ["a", "acd"]),
        ("a%a", None, ["aa", "aba"], ["a"]),
        ("_b_", None, ["abc", "\nbc"], ["ab", "abcd"]),
        ("%a_c%e", None, ["abce", "xxaacabcxe"], ["ace", "abc"]),
        ("%%", None, ["", "x"], []),
        ("_", None, ["x", "%"], ["", "xy"]),
        ("https://%/p/_?%", None, ["https://x.example/p/1?a=b"], ["https://x.example/p/1"]),
        ("10!%", "!", ["10%"], ["100", "10!%"]),
        ("a!_b%", "!", ["a_b", "a_bc"], ["axb"]),
        ("!!%", "!", ["!", "!x"], ["x"]),
        ("!a", "!", ["a"], ["!a"]),
        ("%%", "%", ["%"], ["", "x"]),
        ("a.c", None, ["a.c"], ["abc"]),
    ],
)
def test_like(pattern: str, escape: str | None, hits: list[str], misses: list[str]) -> None:
    matches = like_matcher(pattern, escape)
    assert [text for text in hits if matches(text) is not True] == []
    assert [text for text in misses if matches(text) is not False] == []


def test_like_takes_no_exponential_time() -> None:
    assert not like_matcher("%a%a%a%a%a%a%a%a%b_", None)("a" * 2000)


@pytest.mark.parametrize(("pattern", "escape"), [("a!", "!"), ("a", "!!"), ("a", "")])
def test_bad_escape(pattern: str, escape: str) -> None:
    with pytest.raises(PatternError):
        like_matcher(pattern, escape)
    with pytest.raises(RuleError):
        like_for(pattern, escape)


@pytest.mark.parametrize(
    ("pattern", "hits", "misses"),
    [
        ("a.*", ["a", "abc"], ["ba", "a\nb", "a\u2028"]),
        ("(?s)a.*", ["a\nb"], ["b"]),
        ("[a-c]+", ["abc"], ["abd", ""]),
        ("(?i)abc", ["ABC", "abc"], ["ab"]),
        ("(?i)ä", ["ä"], ["Ä"]),
        ("a(?i)b|c", ["aB", "C", "c"], ["AB"]),
        ("(a(?i)b|c)d", ["aBd", "Cd"], ["aBD"]),
        ("x(?i)(a(?-i)b)c", ["xAbC"], ["xABC"]),
        ("(?i:a)b", ["Ab"], ["AB"]),
        (r"\d+", ["12"], ["١", ""]),
        (r"\w", ["a", "_"], ["ä"]),
        (r"\s", [" ", "\x0b"], ["\xa0"]),
        (r"\h", ["\t", "\u3000"], ["\n"]),
        (r"\H", ["a"], [" "]),
        (r"\v", ["\x0b", "\u2029"], [" "]),
        (r"\R", ["\n", "\r\n", "\x85"], ["\n\r"]),
        (r"[\H]", ["a"], [" "]),
        (r"\p{Alpha}+", ["aZ"], ["ä", "1"]),
        (r"\P{Alpha}", ["ä", "1"], ["a"]),
        (r"[\P{Alpha}b]", ["1", "b"], ["a"]),
        (r"\p{Punct}", ["!", "[", "~"], ["a"]),
        (r"[^\p{Alnum}]", ["-"], ["a"]),
        (r"\p{XDigit}", ["f"], ["g"]),
        (r"\Qa.b\E+", ["a.b", "a.bbb"], ["axb"]),
        (r"\Qa.b", ["a.b"], ["axb"]),
        (r"[\Q]\E]", ["]"], ["\\"]),
        (r"(?<n>a)\k<n>", ["aa"], ["ab"]),
        (r"(a)\11", ["aa1"], ["aa"]),
        (r"\x41\u0042\x{43}\0104", ["ABCD"], ["abcd"]),
        (r"\uD83D\uDE00", ["😀"], [""]),
        (r"\e\a\cA\t", ["\x1b\x07\x01\t"], [""]),
        (r"\_\-\#", ["_-#"], [""]),
        ("a$", ["a"], ["a\n"]),
        ("(?m)^a$\n^b$", ["a\nb"], ["a\n"]),
        (r"\Aa\z", ["a"], ["a\n"]),
        ("a++b", ["aab"], ["aa"]),
        ("(?>a|ab)c", ["ac"], ["abc"]),
        ("a{1,2}?", ["a", "aa"], ["aaa"]),
        ("[]a]", ["]", "a"], ["["]),
        ("[^]a]", ["b"], ["]"]),
        (r"[\w-.]", ["-", "."], [","]),
        ("[a-z-9]", ["-", "9", "q"], ["8"]),
        ("[a&b]", ["&"], ["c"]),
        ("[.a#|~]", [".", "#"], ["b"]),
        ("}|]", ["}", "]"], ["|"]),
    ],
)
def test_regex(pattern: str, hits: list[str], misses: list[str]) -> None:
    regex = compile_regex(pattern)
    assert [text for text in hits if not regex.fullmatch(text)] == []
    assert [text for text in misses if regex.fullmatch(text)] == []


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("a$", "a\n", True),
        ("a$", "a\r\n", True),
        ("a\\r$", "a\r\n", False),
        ("a$", "a\nb", False),
        ("(?m)a$", "a\nb", True),
        ("a\\Z", "a\u2028", True),
        ("(?m)^b", "a\r\nb", True),
        ("(?m)^\\n", "a\r\n", False),
        ("(?m)^$", "", False),
    ],
)
def test_line_ends(pattern: str, text: str, found: bool) -> None:
    assert (compile_regex(pattern).search(text) is not None) is found


@pytest.mark.parametrize(
    ("pattern", "offset", "message"),
    [
        ("a[b[c]]", 3, "a [ inside of [ ] (a nested class) is not supported; write \\["),
        ("[a-z&&[^b]]", 4, "&& (an intersection of classes) is not supported; write \\& for the character"),
        (r"ab\p{L}", 2, "the class \\p{L} is not supported"),
        (r"\pL", 0, "the class \\p{L} is not supported"),
        (r"\p{Alpha=x}", 0, "the class \\p{Alpha=x} is not supported"),
        (r"a\G", 1, "\\G (the end of the previous match) is not supported"),
        (r"a\X", 1, "\\X (a grapheme) is not supported"),
        (r"a\y", 1, "there is no escape \\y"),
        (r"a\E", 1, "there is no escape \\E"),
        (r"\b{g}", 0, "\\b{…} is not supported"),
        (r"[\b]", 1, "there is no escape \\b"),
        (r"[a-\d]", 3, "there is no escape \\d"),
        ("[z-a]", 1, "the range z-a is empty"),
        ("a{,3}", 1, "{ must begin a count"),
        ("a{2,1}", 1, "the count {2,1} is empty"),
        ("a**", 2, "multiple repeat"),
        ("a|*", 2, "nothing to repeat"),
        ("(a", 0, "a group is not closed"),
        ("a)", 1, "a ) without its ("),
        ("x[a", 1, "a [ without its ]"),
        ("[]", 0, "a [ without its ]"),
        ("ab\\", 2, "the pattern ends in a single \\"),
        (r"\1(a)", 0, "there is no group 1 before this"),
        (r"(a)\k<1>", 3, "\\k must be followed by a group's name"),
        (r"\k<n>", 0, "unknown group name 'n'"),
        ("(?P<n>a)", 0, "no such kind of group"),
        ("(?#c)a", 0, "no such kind of group"),
        ("a(?x) b", 1, "the flag `x` is not supported"),
        ("(?U)a", 0, "the flag `U` is not supported"),
        ("(?<=a+)b", 0, "look-behind requires fixed-width pattern"),
        (r"\x{110000}", 0, "there is no such character"),
    ],
)
def test_refused_regex(pattern: str, offset: int, message: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_regex(pattern)
    assert caught.value.message.startswith(message)
    assert caught.value.offset == offset


def test_bad_regex_of_a_rule() -> None:
    with pytest.raises(RuleError, match=r'"\(a": a group is not closed'):
        regex_for("(a")


@pytest.mark.parametrize(
    ("text", "pattern", "replacement", "result"),
    [
        ("https://x/p/1", "[0-9]+", "N", "https://x/p/N"),
        ("abc", "x*", "-", "-a-b-c-"),
        ("baac", "a*", "-", "-b--c-"),
        ("ab", "|a", "-", "-a-b-"),
        ("a-b", "(.)-(.)", "$2-$1", "b-a"),
        ("a", "(a)", "$12", "a2"),
        ("a", "(a)|(b)", "[$2]", "[]"),
        ("a", "(?<n>a)", "<${n}>", "<a>"),
        ("a", "a", r"\$\\n", "$\\n"),
        ("a", "a", "\\\\1", "\\1"),
    ],
)
def test_replace_all(text: str, pattern: str, replacement: str, result: str) -> None:
    assert replace_all(text, pattern, replacement) == result


def test_replace_first() -> None:
    assert replace_first("a1b2", "[0-9]", "<$0>") == "a<1>b2"


@pytest.mark.parametrize("replacement", ["$", "$x", "a\\", "$9", "${nope}"])
def test_bad_replacement(replacement: str) -> None:
    with pytest.raises(PatternError):
        java_replacement(replacement, compile_regex("(a)"))
    with pytest.raises(RuleError):
        replace_all("a", "(a)", replacement)


@pytest.mark.parametrize(
    ("text", "pattern", "limit", "pieces"),
    [
        ("a,b,,", ",", 0, ["a", "b"]),
        ("a,b,,", ",", -1, ["a", "b", "", ""]),
        ("a,b,c", ",", 2, ["a", "b,c"]),
        ("a,b", ",", 1, ["a,b"]),
        ("", ",", 0, [""]),
        (",,", ",", 0, []),
        (",a", ",", 0, ["", "a"]),
        ("abc", "", 0, ["a", "b", "c"]),
        ("a1b2", r"\d", 0, ["a", "b"]),
        ("a1b2", r"\d", 2, ["a", "b2"]),
        ("abc", "(?=b)", 0, ["a", "bc"]),
        ("abc", "(?=a)", 0, ["abc"]),
        ("ab", "|a", 0, ["a", "b"]),
        ("a.b", ".", 0, []),
        ("a.b", r"\.", 0, ["a", "b"]),
    ],
)
def test_split(text: str, pattern: str, limit: int, pieces: list[str]) -> None:
    assert split(text, pattern, limit) == pieces
