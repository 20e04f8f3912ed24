"""Cutting a filter's text into tokens that know their column."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final

import attrs

from pmpc_state.errors import FilterInvalid
from pmpc_state.filters.terms import KEYWORDS


class TokenType(enum.Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted text"
    KEYWORD = "keyword"
    OPERATOR = "operator"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    END = "the end"


@attrs.frozen
class Token:
    """A token and the column, counted from 1, where it begins."""

    type: TokenType
    text: str
    column: int

    def __str__(self) -> str:
        return "the end" if self.type is TokenType.END else f"`{self.text}`"


_PATTERN: Final = re.compile(
    r"""(?P<blank>\s+)
      | (?P<operator>!=|<=|>=|=|<|>|~)
      | (?P<open>\()
      | (?P<close>\))
      | (?P<comma>,)
      | (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<word>[^\s()=!<>~,"']+)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)


def tokens(text: str) -> Iterator[Token]:
    """Cut a filter into tokens; the last is the end.

    Raises:
        FilterInvalid: A quotation is not closed, or a sign is none of ours.
    """
    position = 0
    while position < len(text):
        found = _PATTERN.match(text, position)
        if found is None:
            what = "this quotation is not closed" if text[position] in "\"'" else "unexpected sign"
            raise FilterInvalid(text, position + 1, what)
        if found.lastgroup != "blank":
            yield _token(found)
        position = found.end()
    yield Token(TokenType.END, "", len(text) + 1)


def _token(found: re.Match[str]) -> Token:
    text, column = found.group(), found.start() + 1
    kind = TokenType[str(found.lastgroup).upper()]
    if kind is TokenType.QUOTED:
        return Token(kind, _ESCAPED.sub(r"\1", text[1:-1]), column)
    if kind is TokenType.WORD and text.lower() in KEYWORDS:
        return Token(TokenType.KEYWORD, text.lower(), column)
    return Token(kind, text, column)
