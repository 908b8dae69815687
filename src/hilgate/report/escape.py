"""Foreign text made harmless for Markdown on GitHub and for a terminal. A report shows names that strangers chose.

Dangers: Markdown and HTML syntax, @mentions, #references and links, which GitHub resolves in rendered text outside
code; control characters, which drive terminals; bidirectional and invisible ones, which make text read as another.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_NAME = 80
LONGEST_TEXT = 600
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
PLAIN_NAME = re.compile(r"[A-Za-z0-9 _./+=:,;&%#'\"*>$?!~^(){}\[\]-]+")  # nothing between backticks can end them
LINKING = re.compile(r"(?i)(:)(//)|(www)(\.)|\b(gh)(-\d)")  # what GitHub makes links of: addresses, GH-12
PLAIN_URL = re.compile(
    r"https?://[A-Za-z0-9.-]{1,200}(:\d{1,5})?(/[A-Za-z0-9._~/-]{0,400})?(\?[A-Za-z0-9=&_-]{0,100})?"
)
SAFE_TEXT = re.compile(r"[A-Za-z0-9 \u00a0.,;:%+'\"/=?µ±−…≥≤→×·()-]")


class Markdown(str):
    """Text that is Markdown already; everything else is escaped when a template prints it."""

    __slots__ = ()


def visible(text: object, longest: int = LONGEST_TEXT) -> str:
    """One line of bounded length in which every invisible or direction-changing character is spelled out: [U+202E]."""
    shown = "".join(_spelled(letter) for letter in str(text)[: longest + 1])
    return shown if len(str(text)) <= longest else shown[:longest] + "…"


def markdown_name(name: object) -> Markdown:
    """A name as code. Plain ones stay readable in the source, others are spelled in entities inside <code>."""
    text = visible(name, LONGEST_NAME)
    if PLAIN_NAME.fullmatch(text):
        return Markdown(f"`{text}`")
    return html_name(text)


def html_name(name: object) -> Markdown:
    """A name as code by HTML, for places where GitHub reads no Markdown: a <summary>."""
    text = visible(name, LONGEST_NAME)
    entities = (letter if letter.isalnum() or letter == " " else f"&#{ord(letter)};" for letter in text)
    return Markdown(f"<code>{''.join(entities)}</code>")


def markdown_text(text: object) -> Markdown:
    """A sentence: names in backticks become code, all else that could be syntax, a mention or a link is defused."""
    if isinstance(text, Markdown):
        return text
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:  # a backtick without its partner opens nothing
        parts = ["'".join(parts)]
    return Markdown("".join(markdown_name(part) if odd % 2 else _defused(part) for odd, part in enumerate(parts)))


def markdown_block(text: object, longest: int) -> Markdown:
    """Text of several lines (an error, a log) as a code block, indented so that no fence of its own can end it."""
    lines = str(text)[:longest].replace("\r\n", "\n").split("\n")
    return Markdown("\n".join(f"    {visible(line, longest)}" for line in lines))


def markdown_link(text: str, url: str) -> Markdown:
    """A link to an address of our own making; to anything that is no plain https address, only the text."""
    label = markdown_text(text)
    return Markdown(f"[{label}]({url})") if PLAIN_URL.fullmatch(url) else label


def terminal_text(text: object, longest: int = LONGEST_TEXT) -> str:
    """Text for a terminal or a job's log: no backticks, and nothing that GitHub's runner takes for a command.

    The runner obeys `::name::` at the start of a line, and a long line is wrapped anywhere; `##[name]` it obeys
    anywhere. Both get a space.
    """
    shown = visible(text, longest).replace("`", "")
    return re.sub(r":(?=:)", ": ", shown).replace("##[", "## [")


def _spelled(letter: str) -> str:
    if letter in "\n\r\t":
        return " "
    category = unicodedata.category(letter)
    stacked = category in ("Mn", "Me")
    return f"[U+{ord(letter):04X}]" if category in INVISIBLE or stacked else letter


def _defused(text: str) -> str:
    """Entities for whatever is not plain; a zero-width space in what would become a link, a mention or a reference."""
    kept = "".join(
        letter if SAFE_TEXT.fullmatch(letter) or letter.isalpha() or _inside_word(text, at) else f"&#{ord(letter)};"
        for at, letter in enumerate(text)
    )
    kept = LINKING.sub(lambda found: "&#8203;".join(part for part in found.groups() if part), kept)
    kept = re.sub(r":(?=[\w+-]{1,60}:)", ":&#8203;", kept)  # an emoji's name
    return re.sub("&#(64|35|36);", r"&#\1;&#8203;", kept)  # @, # and $


def _inside_word(text: str, at: int) -> bool:
    """An underscore between letters or digits means no emphasis."""
    return text[at] == "_" and 0 < at < len(text) - 1 and text[at - 1].isalnum() and text[at + 1].isalnum()
