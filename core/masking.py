"""Masks secrets in a message before it is stored, logged, exported or shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import partial

CARD, IBAN, SSN = "[card number]", "[IBAN]", "[social security number]"
PASSWORD, TOKEN, PRIVATE_KEY = "[password]", "[token]", "[private key]"
_PLACEHOLDER = "|".join(map(re.escape, (CARD, IBAN, SSN, PASSWORD, TOKEN, PRIVATE_KEY)))


def mask(text: str) -> str:
    """Replace secrets by what they were, such as `[card number]` or `[password]`.

    Masked are private-key blocks, tokens of known shape, card numbers (Luhn), IBANs (mod 97), US
    social security numbers, and what follows a password-like word. When in doubt, what follows
    "password:" is masked, and what follows "password is" only when it looks like one.
    Idempotent; time is linear in the length.

    Args:
        text: A text, cleaned or as Slack sends it.

    Returns:
        The text without them; all else unchanged. Only where a secret is written in look-alikes of
        plain characters (full-width digits, long dashes, invisible characters in between) does the
        whole text come back in plain ones.
    """
    masked = _apply_rules(text)
    if text.isascii():
        return masked
    plain = _plain(text)
    if plain == text:
        return masked
    masked_plain = _apply_rules(plain)
    return masked if masked_plain == _plain(masked) else masked_plain


def _apply_rules(text: str) -> str:
    for needed, rule in _RULES:
        if needed in text:
            text = rule(text)
    return text


# --- look-alikes -----------------------------------------------------------------------------

_UNSEEN = dict.fromkeys(
    [
        *(0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE0080),
    ]
)
_DASHES = dict.fromkeys([*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D], "-")
_SPACES = dict.fromkeys([0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
_HONORIFICS = {0xFDFA: "\u0635", 0xFDFB: "\u062c"}  # NFKC makes 18 and 8 letters of each
_LOOK_ALIKES = _UNSEEN | _DASHES | _SPACES | _HONORIFICS | {0x2019: "'"}


def _plain(text: str) -> str:
    """Compatible forms, dashes, spaces and the digits of all scripts as ASCII; nothing unseen."""
    text = unicodedata.normalize("NFKC", text.translate(_LOOK_ALIKES))
    return "".join(
        char if char.isascii() or not char.isdecimal() else str(unicodedata.decimal(char))
        for char in text
    )


# --- keys and tokens -----------------------------------------------------------------------

_PRIVATE_KEY = re.compile(
    r"--{1,7} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?--{1,7}.*?"
    r"(?:--{1,7} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?--{1,7}|\Z)",
    re.DOTALL,
)
_PUTTY_KEY = re.compile(
    r"(Private-Lines: ?\d{1,4}\s{1,2})(?:(?!Private-)[A-Za-z0-9+/=]++(?:\n|\Z)?)++"
)
_TOKEN = re.compile(
    r"(?:xox[a-z]\.)?xox[a-z]-[\w-]{8,}+"  # Slack
    r"|gh[pousr]_[A-Za-z0-9]{20,}+"
    r"|(?<![A-Za-z0-9])(?:"
    r"xapp-[\w-]{8,}+"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"  # AWS key id
    r"|github_pat_\w{20,}+|glpat-[\w-]{16,}+"
    r"|eyJ[\w-]{5,}+\.[\w-]{5,}+\.[\w-]*+"  # JWT
    r"|SG\.[\w-]{16,}+\.[\w-]{16,}+|hv[sbr]\.[\w-]{20,}+|ya29\.[\w-]{20,}+|dop_v1_[0-9a-f]{40,}+"
    r"|pypi-[\w-]{20,}+|ATATT3[\w=-]{20,}+|GOCSPX-[\w-]{20,}+|shp(?:at|ss)_[0-9a-f]{20,}+"
    r"|AIza[\w-]{30,}+|sk-[\w-]{20,}+|[rs]k_(?:live|test)_\w{10,}+|npm_[A-Za-z0-9]{30,}+"
    r"|\d{6}(?:-\d{6}){7}(?!\d)"  # BitLocker recovery key
    r")"
)
_SLACK_HOOK = re.compile(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/-]++")
_BEARER = re.compile(r"(?i)(\b(?:bearer|basic)\s{1,3})(?=[a-z]*+[^a-z\s])[\w.~+/=-]{12,}+")
_URL_LOGIN = re.compile(r"(://[^\s/:@<>|]{0,100}:)(?!\[password\])[^\s/@<>|]{1,200}(?=@)")
_DATABASE_LOGIN = re.compile(  # in these a password may have any character
    r"(?i)(\b(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|mssql|oracle|ldaps?|s?ftps?)"
    r"(?:\+\w{1,20})?://[^\s/:@<>|]{0,100}:)(?!\[password\]@)[^\s<>|]{1,200}(?=@)"
)
_SIGNED_LINK = re.compile(r"([?&](?:sig|signature|x-amz-signature|ticket)=)[\w%+/=-]{16,}+", re.I)
_COMMAND = re.compile(
    r"(\bsshpass[ ]{1,3}-p[ ]?|\bmysql(?:dump|admin)?\b[^\n\[]{0,100}?[ ]-p"
    r"|\bcurl\b[^\n\[]{0,100}?[ ](?:-u|--user)[ =]{0,2}[^\s:]{1,60}:)(?!\[)[^\s\"']{2,100}"
)
_ELEMENT = re.compile(r"(?i)(<(?:password|passwd|pwd|pass|secret|token)>)(?!\[)[^<>]{1,200}(?=</)")
_ASSIGNED = re.compile(
    r"(?i)((?<![a-z0-9])(?:[a-z0-9]{1,20}[_-]){0,3}(?:api|access|account|secret)?[_ -]?"
    r"(?:key|secret|token)[\"'`*]{0,2}\s{0,3}[:=]\s{0,3}[\"'`*]{0,2})"
    r"(?=[^\s\"'`]{0,100}\d)[^\s\"'`,;<>\[\]]{12,}+"
)


# --- numbers with a check digit ------------------------------------------------------------

_DIGIT_GROUPS = re.compile(
    r"(?<![^\W_])(?<![+.])\d++(?![^\W_])(?:[ ./,_*\n-]{1,3}\d++(?![^\W_]))*+"
)
_CARD_AMONG_LETTERS = re.compile(  # the commonest in one piece, but no decimal fraction
    r"(?<!\d)(?<!\d[.,])"
    r"(?:4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12})(?!\d)"
)
_GROUP = re.compile(r"\d+")
_CARD_SHAPE = re.compile(  # first digits and length by network; few serial numbers fit
    r"4(?:\d{12}|\d{15}|\d{18})|5\d{15}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14,17}"
    r"|6\d{15,18}"
)
_MIN_FIRST_GROUP = 4  # cards are written 4-4-4-4, 4-6-5, 6-13, in one piece, or digit by digit
_MAX_FRACTION = 12  # more digits in one piece behind a point are a number's, and no card's
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])([A-Za-z]{2})\d{2}(?=[ -]?[A-Za-z0-9])")
_IBAN_BODY = re.compile(r"[A-Za-z0-9](?:[ -]?[A-Za-z0-9]){14,33}+")
_SEPARATOR = re.compile(r"[ -]")
_IBAN_LENGTHS = dict(
    re.findall(
        r"(\D\D)(\d\d)",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20"
        "EG29ES24FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30"
        "KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23"
        "PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26"
        "UA29VA22VG24XK20YE30",
    )
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_SSN_SAID = re.compile(
    r"(?i)((?<![a-z])(?:ssn|social security(?: number| no\.?| #)?)(?: is)?[ :#=]{1,4})"
    r"\d{3}[ -]?\d{2}[ -]?\d{4}(?!\w)"
)


def _mask_cards(match: re.Match[str]) -> str:
    """Replace the card numbers among groups of digits that stand together."""
    groups = list(_GROUP.finditer(match[0]))
    result, done, index = "", 0, 0
    while index < len(groups):
        last = _card_end(groups, index)
        if last is not None:
            result += match[0][done : groups[index].start()] + CARD
            done, index = groups[last].end(), last
        index += 1
    return result + match[0][done:]


def _card_end(groups: list[re.Match[str]], first: int) -> int | None:
    """The last of the groups that make a card number from `first` on, None when none do."""
    digits, size = "", len(groups[first][0])
    text, start = groups[first].string, groups[first].start()
    if size > _MAX_FRACTION and text.endswith((".", ","), 0, start):
        return None
    for index in range(first, len(groups)):
        if size < _MIN_FIRST_GROUP and len(groups[index][0]) != size:
            return None
        digits += groups[index][0]
        if len(digits) > 19:
            return None
        if _CARD_SHAPE.fullmatch(digits) and _luhn(digits):
            return index
    return None


def _luhn(digits: str) -> bool:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _mask_card(match: re.Match[str]) -> str:
    return CARD if _luhn(match[0]) else match[0]


def _mask_ibans(text: str) -> str:
    result, done = "", 0
    for start in _IBAN_START.finditer(text):
        end = _iban_end(text, start)
        if end is not None and start.start() >= done:
            result, done = result + text[done : start.start()] + IBAN, end
    return result + text[done:]


def _iban_end(text: str, start: re.Match[str]) -> int | None:
    """Where the IBAN that begins there ends, None when there is none."""
    length = int(_IBAN_LENGTHS.get(start[1].upper(), 0))
    body = _IBAN_BODY.match(text, start.start())
    plain = _SEPARATOR.sub("", body[0])[:length] if body else ""
    if not length or len(plain) < length:
        return None
    number = "".join(str(int(char, 36)) for char in plain[4:] + plain[:4])
    if int(number) % 97 != 1:
        return None
    end = start.start() + length
    while len(_SEPARATOR.sub("", text[start.start() : end])) < length:
        end += 1
    return None if text[end : end + 1].isalnum() else end


# --- passwords -----------------------------------------------------------------------------

_WORD = (
    r"(?<![^\W_])(?<!\[)(?:pass ?words?|passwd|passcode|pwd|pw|p[./]w\.?|passwort|kennwort"
    r"|contrase[ñn]a|clave|mot de passe|mdp|senha|palavra[- ]passe|parola(?: d'ordine)?|wachtwoord"
    r"|lösenord|adgangskode|passord|salasana|hasło|heslo|jelszó|şifre|пароль|κωδικός|סיסמה"
    r"|كلمة المرور|كلمة السر|密码|密碼|パスワード|비밀번호)"
)
_SCOPE = (  # "password (temporary)", "password for the guest wifi"
    r"(?:[ ]\([^()\n]{1,30}\)|[_.-][a-z0-9_]{1,30}"
    r"|[ ](?:for|of|on|to|für|zum|para|de|del|do|da|pour|du|per)"
    r"(?:[ ][^\s:=.,!?\[\]]{1,30}){1,4}?)?"
)
_VALUE = (
    rf"(?!{_PLACEHOLDER}|{_WORD}\s{{0,3}}[:=\uff1a])"
    r"(?P<value>`{3}[^`]{1,200}`{3}|\"[^\"\n]{1,100}\"|'[^'\n]{1,100}'|`[^`\n]{1,100}`|\S++)"
)
_GIVEN = re.compile(
    rf"(?P<label>(?:{_WORD}|(?<![\w\[])(?:pass|(?P<weak>secret))){_SCOPE}[*_~`\"')]{{0,3}}\s{{0,3}}"
    rf"(?:[:=\uff1a]>?|->)[*_~]{{0,3}}+\s{{0,5}}+){_VALUE}"
    r"(?:(?P<more>[ ]/[ ]\S++)|(?P<words>(?:[ ][a-z]{2,20}){1,7}(?=[ .]*(?:\n|$))))?",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"(?P<label>(?:{_WORD}|(?P<weak>(?<![\w\[])pass))(?:(?:{_SCOPE}[ ]|')"
    r"(?P<verb>is|was|will be|ist|lautet|war|es|era|est|é|è|(?<=')s)"
    rf"(?:[ ](?:now|still|jetzt|ahora))?:?[ ]|は[ ]?|[ \n]{{1,2}}(?:(?:to|-)[ ])?)){_VALUE}",
    re.IGNORECASE,
)
_PASSPHRASE = re.compile(
    rf"(?i)((?<![\w\[])passphrase(?:\s{{0,3}}[:=]| is)\s{{0,3}})(?!{_PLACEHOLDER})\S[^\n]{{0,200}}"
)
_PIN = re.compile(
    r"(?i)((?<![\w\[])(?:(?:pin|otp|tan|2fa|mfa|verification|security)(?:[- ]?code|[- ]?number)?"
    r"|cv[vc]2?)(?: is| ist| es| est| é)?[ :=#*`\"']{1,4})"
    r"(?:\d{4,8}|(?<=cv[vc].)\d{3}|(?<=cv[vc]..)\d{3}|(?<=cv[vc]...)\d{3})(?![\w-])"
)
_PAIR = re.compile(
    r"(?i)((?<![\w\[])(?:credentials|creds|login(?: data| details)?|zugangsdaten|anmeldedaten"
    r"|identifiants|credenciales|credenciais)\s{0,2}[:=]\s{0,3}[^\s/|,;:]{1,60}"
    r"(?:\s{0,2}[/|,;:]\s{0,2}|[ ]))(?P<value>\S++)"
)
_USED_AS = re.compile(
    r"(?i)(?<!\S)(?P<value>\S{6,40})"
    r"(?=[ ]as[ ](?:my|the|our|a)[ ](?:new[ ])?(?:password|pw|passcode)\b)"
)
_LINK = re.compile(r"<?https?://", re.IGNORECASE)
_TICKET_OR_PRODUCT = re.compile(r"[A-Z]{1,6}-?\d{3,}|(?i:office|windows)-?\d{2,4}")
_STRONG = re.compile(r"(?=.{0,99}[^\W\d_])(?=.{0,99}\d).{6,}")
_ODD = re.compile(r"(?=.{0,99}[\d@#$%^&*_+=~!]|.{1,99}[A-Z]).{4,}")
_ENDS_CLAUSE = re.compile(r"[ ]*(?:\n|$)")
_ORDINARY_END = re.compile(r"(?:ed|ing|ly|able|ible|ado|ada|ido|ida|é|ée|ert|lich)$")
_ORDINARY_WORDS = """
    a abgelaufen about again all already also always an and any anyone are as asap ask asked
    at b back bad be because been being bitte blank blocked both broken but by can can't
    cannot cant change changed changes check compromised confirm correct could dans de default
    depuis desde did didn't different do does doesn't don't due eight empty en errada error
    esqueci esta every exact exactly expire expired expires expiring expirou expiró fail
    failed fails falsch fine for forgot forgotten from gesperrt gone good got hacked has have
    hello help hi how i i'm if in incorrect incorrecta invalid inválida inválido is issue it
    it's its just keeps known la lapsed last le leaked locked lost mal me mine missing must my
    n/a na nao ne need needed needs never new next nicht no none not nothing now não nötig of
    off ok okay old olvidada on once only or oublié our out over para pas please pls plus plz
    policy por prompt proper que recovery request required reset right same saved secret see
    set shared should shown since so some something still strong stuck suddenly that the their
    them then there they this to today too try unable ungültig unknown unlock until up update
    urgent used user valid vencida vergessen via visible was we weak weg what when where which
    why will with won't wont working works wrong yes you your zu zurücksetzen
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())


def _mask_given(match: re.Match[str]) -> str:
    """After a colon everything is taken for the password but what plainly is none."""
    value = _bare(match["value"])
    if not value or _is_ordinary(value) or _LINK.match(match["value"]):
        return match[0]
    if match["weak"] and not _STRONG.fullmatch(value):
        return match[0]
    words = match["words"] or ""
    if any(_is_ordinary(word) for word in words.split()):
        return match["label"] + PASSWORD + words  # a sentence goes on, and no pass phrase
    return match["label"] + PASSWORD


def _mask_said(match: re.Match[str]) -> str:
    """Without a colon only what looks like a password, or ends the clause after "is"."""
    value = _bare(match["value"])
    if match["verb"] and not match["weak"]:
        ends = _ENDS_CLAUSE.match(match.string, match.end()) or match["value"][0] in "\"'`"
        said_of_it = _is_ordinary(value) or _is_inflected(value)
        secret = not said_of_it and (ends or _ODD.fullmatch(value))
    else:
        secret = _STRONG.fullmatch(value) and not _TICKET_OR_PRODUCT.fullmatch(value)
    return match["label"] + PASSWORD if value and secret else match[0]


def _bare(value: str) -> str:
    return value.strip("\"'`*_~()<>.,;!? \n")


def _mask_strong(match: re.Match[str]) -> str:
    """The value only when it looks like a password by itself."""
    value = match["value"]
    before = match[0].removesuffix(value)
    return before + PASSWORD if _STRONG.fullmatch(_bare(value)) else match[0]


def _is_ordinary(value: str) -> bool:
    """Whether a word after "password" says something about it; a label counts as well."""
    word = value.lower()
    return word in _ORDINARY or word.endswith(":")


def _is_inflected(value: str) -> bool:
    """Whether it ends like what passwords do or undergo, such as "rejected"."""
    return value.isalpha() and value.islower() and _ORDINARY_END.search(value) is not None


# In this order no rule makes what an earlier one would mask, so masking is idempotent.
# Before each stands what a text must have for the rule to find anything.
_RULES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("PRIVATE KEY", partial(_PRIVATE_KEY.sub, PRIVATE_KEY)),
    ("Private-Lines", partial(_PUTTY_KEY.sub, rf"\1{PRIVATE_KEY}")),
    ("hooks.slack.com", partial(_SLACK_HOOK.sub, rf"\1{TOKEN}")),
    ("", partial(_TOKEN.sub, TOKEN)),
    ("", partial(_BEARER.sub, rf"\1{TOKEN}")),
    ("", partial(_ASSIGNED.sub, rf"\1{TOKEN}")),
    ("=", partial(_SIGNED_LINK.sub, rf"\1{TOKEN}")),
    ("", partial(_DIGIT_GROUPS.sub, _mask_cards)),
    ("", partial(_CARD_AMONG_LETTERS.sub, _mask_card)),
    ("", _mask_ibans),
    ("-", partial(_SSN.sub, SSN)),
    ("", partial(_SSN_SAID.sub, rf"\1{SSN}")),
    ("://", partial(_DATABASE_LOGIN.sub, rf"\1{PASSWORD}")),
    ("://", partial(_URL_LOGIN.sub, rf"\1{PASSWORD}")),
    (" -", partial(_COMMAND.sub, rf"\1{PASSWORD}")),
    ("</", partial(_ELEMENT.sub, rf"\1{PASSWORD}")),
    ("", partial(_PASSPHRASE.sub, rf"\1{PASSWORD}")),
    ("", partial(_GIVEN.sub, _mask_given)),
    ("", partial(_SAID.sub, _mask_said)),
    ("", partial(_PIN.sub, rf"\1{PASSWORD}")),
    ("", partial(_PAIR.sub, _mask_strong)),
    ("", partial(_USED_AS.sub, _mask_strong)),
)
