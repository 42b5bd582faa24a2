"""Two views of a message: `clean` for storing and showing, `normalize` for the model."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby

MAX_CHARACTERS = 40_000
"""What Slack lets a message have; `clean` cuts behind it."""

MAX_NORMAL_CHARACTERS = 8_000
"""Several times what any encoder reads; `normalize` cuts behind it."""

_MAX_CODE_CHARACTERS = 600

# --- clean ---------------------------------------------------------------------------------

_CONTROL = [*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0x85), *range(0x86, 0xA0)]
_BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_INVISIBLE = [
    0x00AD,  # soft hyphen
    0x034F,  # combining grapheme joiner
    0x180E,  # Mongolian vowel separator
    0x200B,  # zero width space
    *range(0x2060, 0x2066),  # word joiner, invisible operators
    *range(0x206A, 0x2070),  # deprecated format characters
    0xFEFF,  # byte order mark
    *range(0xFFF9, 0xFFFC),  # interlinear annotation
    *range(0xE0000, 0xE0080),  # tags: text that nobody sees
]
_CLEAN = dict.fromkeys([*_CONTROL, *_BIDI, *_INVISIBLE]) | {0x85: "\n", 0x2028: "\n", 0x2029: "\n"}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_LOOKS_EMPTY = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and symbols with no ink


def clean(text: str) -> str:
    """Make a text safe to store and to show, without changing what it says.

    Removes control, direction-changing and invisible characters, repairs lone surrogates
    (U+FFFD), brings line ends to LF and Unicode to NFC, strips the ends, and cuts behind
    `MAX_CHARACTERS`. Idempotent; time is linear in the length.

    Args:
        text: Any string, also one that no encoding could carry.

    Returns:
        The cleaned text, at most `MAX_CHARACTERS` long; empty when nothing was left.
    """
    if _SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    text = text.translate(_CLEAN).replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", text).strip()[:MAX_CHARACTERS].rstrip()


def is_blank(text: str) -> bool:
    """Tell whether a reader would see nothing: only white space, marks and invisible letters."""
    return not any(
        unicodedata.category(char)[0] in "LNPS" and char not in _LOOKS_EMPTY for char in text
    )


# --- normalize -----------------------------------------------------------------------------
#
# Every pattern is linear: quantifiers are possessive or bounded and start only at a boundary.
# Whatever is removed leaves a space or a line end, nothing grows behind the cut, and no step
# makes what an earlier one looks for; that is what makes the whole idempotent.

_JOINERS = dict.fromkeys([0x200C, 0x200D, *range(0xFE00, 0xFE10)])
_EMOJI = re.compile(r"[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_UNNAMED_EMOJI = re.compile(r"[\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")  # flags, skin tones

_MARKUP = re.compile(r"<([^<>|\n]++)(?:\|([^<>\n]*+))?>")
_ENTITY = re.compile(r"&(?:amp;)*+(lt;|gt;|nbsp;|quot;|apos;|#39;)?")
_ENTITY_TEXT = {None: "&", "quot;": '"', "apos;": "'", "#39;": "'"}
_RUN = re.compile(r"(\S)\1{3,}+")
_LONG_TOKEN = re.compile(r"([!-~]{60})[!-~]++")
_URL = re.compile(r"https?://\S*+|(?<!\w)(?:(?:https?|ftp|file|mailto|tel|slack):|www\.)\S++", re.I)
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]++(?:@[\w.+-]++)++")
_SHORTCODE = re.compile(r"(?<!\w):([a-z+-][\w+'-]{0,60}+):(?!\w)")
_SPACE = re.compile(r"[^\S\n]++")

_DEVICE = (
    r"(?:i-?phone|i-?pad|android|samsung|galaxy|huawei|pixel|blackberry|mobile|phone|smartphone"
    r"|tablet|handy|m[óo]vil|celular|téléphone|portable)\b"
)
_SENT_FROM = (
    rf"(?:sent from my {_DEVICE}|von meinem {_DEVICE} gesendet|gesendet von meinem {_DEVICE}"
    rf"|enviado (?:desde mi|do meu) {_DEVICE}|envoyé (?:de|depuis) mon {_DEVICE}"
    rf"|inviato da(?:l mio)? {_DEVICE}|verstuurd vanaf mijn {_DEVICE}"
    r"|sent from (?:outlook|mail|yahoo mail) (?:for|on) \w{1,20}"
    r"|(?:get|obtener|obtenir|holen sie sich) outlook (?:for|para|pour|für) \w{1,20})"
)
_SENT_FROM_INLINE = re.compile(rf"(?<!\S)(?-i:(?=[A-Z])){_SENT_FROM}(?!:)", re.I)
_NOISE_LINE = re.compile(
    rf"(?:{_SENT_FROM}.{{0,60}}"
    r"|(?:(?:tel|phone|mobile|mob|cell|fax|telefon|telefone|teléfono|tél|handy|móvil)\W{0,3})?"
    r"\+?[\d() ./-]{7,30}"
    r"|(?:on|am|le|el|em|il)\b.{5,200}?"
    r"\b(?:wrote|schrieb|a écrit|escribió|escreveu|ha scritto)\b.{0,80}:"
    r"|\W{0,20}(?:original message|forwarded message|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|mensaje original|mensagem original|message d'origine)\W{0,20}"
    r"|(?:confidentiality notice\b|this (?:e-?mail|message) .{0,60}\b(?:confidential|intended)\b"
    r"|diese e-?mail .{0,60}\bvertraulich).*+)",
    re.I,
)
_HEADER_LINE = re.compile(
    r"\W{0,2}(?:(?P<subject>subject|betreff|asunto|assunto|objet|oggetto)|from|to|cc|bcc|sent|date"
    r"|importance|von|an|gesendet|datum|de|para|enviado(?: el| em)?|fecha|data|à|envoyé)\b ?:",
    re.I,
)
_HEADER_LINES_TOGETHER = 3  # fewer may be what somebody meant to say ("From: room 2")


def normalize(text: str) -> str:
    """Reduce a message to the words that say what it is about: what the model is shown.

    Resolves Slack's markup and entities; drops links, mail addresses, telephone lines, quoted
    mail headers and "Sent from my iPhone"; turns emoji beside words into words; shortens code
    blocks, long tokens and repetitions. Case and line ends stay. Idempotent; time is linear in
    the length.

    Args:
        text: A message as Slack sends it, or as `clean` leaves it.

    Returns:
        At most `MAX_NORMAL_CHARACTERS` characters; empty when nothing said anything.
    """
    text = unicodedata.normalize("NFKC", clean(text).translate(_JOINERS))
    if _is_emoji_alone(text[:MAX_NORMAL_CHARACTERS]):
        return ""
    text = _EMOJI.sub(_emoji_words, _shorten_code(text))[:MAX_NORMAL_CHARACTERS]
    text = _MARKUP.sub(_markup_text, text)
    text = _ENTITY.sub(_entity_text, text).replace("<", " ").replace(">", " ")
    text = _LONG_TOKEN.sub(r"\1", _RUN.sub(r"\1\1\1", text))
    text = _MAIL.sub(" ", _URL.sub(" ", text))
    text = _SHORTCODE.sub(_shortcode_words, text)
    text = _SENT_FROM_INLINE.sub("\n", _SPACE.sub(" ", text))
    lines = [line for line in map(str.strip, text.split("\n")) if _says_something(line)]
    return "\n".join(_without_mail_headers(lines))


def _is_emoji_alone(text: str) -> bool:
    """Whether all that stands beside links and mentions are emoji: a mood, which names nothing."""
    rest = _URL.sub(" ", _MARKUP.sub(_markup_text, text))
    return not any(map(str.isalnum, _SHORTCODE.sub(" ", rest)))


def _shorten_code(text: str) -> str:
    """Drop back-ticks; keep the beginning and the end of what stands in a fence."""
    parts = text.split("```")
    half = _MAX_CODE_CHARACTERS // 2
    for index in range(1, len(parts) - 1, 2):  # an unclosed fence is ordinary text
        code = parts[index]
        if len(code) > _MAX_CODE_CHARACTERS:
            parts[index] = f"{code[:half]}\n{code[-half:]}"  # errors stand first or last
    return "\n".join(parts).replace("`", " ")


def _emoji_words(match: re.Match[str]) -> str:
    char = match[0]
    if _UNNAMED_EMOJI.match(char):
        return " "
    return f" {unicodedata.name(char, '').lower()} "


def _shortcode_words(match: re.Match[str]) -> str:
    name = match[1]
    return " " if name.startswith("skin-tone-") else f" {name.replace('_', ' ')} "


def _markup_text(match: re.Match[str]) -> str:
    """Keep the label of a link or channel; a mention of a person or group says nothing."""
    target, label = match[1], match[2] or ""
    return " " if target[0] in "@!" else f" {label} "


def _entity_text(match: re.Match[str]) -> str:
    return _ENTITY_TEXT.get(match[1], " ")


def _says_something(line: str) -> bool:
    return any(map(str.isalnum, line)) and not _NOISE_LINE.fullmatch(line)


def _without_mail_headers(lines: list[str]) -> list[str]:
    """Drop header blocks of quoted mails but for their subject."""
    kept: list[str] = []
    for is_header, group in groupby(lines, key=lambda line: bool(_HEADER_LINE.match(line))):
        block = list(group)
        if is_header and len(block) >= _HEADER_LINES_TOGETHER:
            block = [line for line in block if (m := _HEADER_LINE.match(line)) and m["subject"]]
        kept += block
    return kept


_WRITTEN = re.compile(r"[^\w\s]|[\d_]")


def is_stripped(text: str) -> bool:
    """Whether a text has no capitals, digits or marks, like tickets of an anonymised export."""
    return _WRITTEN.search(text) is None and text == text.lower()
