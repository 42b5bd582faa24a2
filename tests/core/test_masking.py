import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.masking import mask

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123"
BITLOCKER = "123456-234567-345678-456789-567890-678901-789012-890123"
PEM = "-----BEGIN {0}PRIVATE KEY-----\nMIIEow\n-----END {0}PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("card 4111 1111 1111 1111 please", "card [card number] please"),
        ("4111111111111111", "[card number]"),
        ("5500-0000-0000-0004, ok", "[card number], ok"),
        ("amex 3782 822463 10005", "amex [card number]"),
        ("order 12345 4111111111111111", "order 12345 [card number]"),
        ("4222222222222 4111111111111111", "[card number] [card number]"),
        ("pay DE89 3704 0044 0532 0130 00 please", "pay [IBAN] please"),
        ("gb29nwbk60161331926819", "[IBAN]"),
        ("FR14 2004 1010 0505 0001 3M02 606", "[IBAN]"),
        ("ssn 078-05-1120", "ssn [social security number]"),
        (
            "Social Security number is 078051120",
            "Social Security number is [social security number]",
        ),
        (f"a\n{PEM.format('RSA ')}\nb", "a\n[private key]\nb"),
        ("-----BEGIN PRIVATE KEY-----\nnever closed", "[private key]"),
        ("xoxb-123456789012-abcdefghij", "[token]"),
        ("xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4", "[token]"),
        ("xapp-1-A0123-456-abcdef", "[token]"),
        ("https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/services/[token]"),
        ("AKIAIOSFODNN7EXAMPLE", "[token]"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx", "aws_secret_access_key = [token]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[token]"),
        ("github_pat_11ABCDEFG0abcdefghij_klmnop", "[token]"),
        (f"jwt {JWT}.", "jwt [token]."),
        ("Authorization: Bearer abcdef1234567890", "Authorization: Bearer [token]"),
        ("api_key=abcd1234efgh5678", "api_key=[token]"),
        (f"key {BITLOCKER}", "key [token]"),
        ("https://bob:hunter2@host/x", "https://bob:[password]@host/x"),
        ("redis://:hunter2@cache:6379", "redis://:[password]@cache:6379"),
        ("postgresql+asyncpg://b:h/n@r2@db/x", "postgresql+asyncpg://b:[password]@db/x"),
        ("Server=db;Uid=bob;Pwd=hunter2;", "Server=db;Uid=bob;Pwd=[password]"),
        ("https://x/y?se=1&sig=aB%2Bc123456789012345", "https://x/y?se=1&sig=[token]"),
        ("curl -u bob:hunter2 https://x", "curl -u bob:[password] https://x"),
        ("mysql -u root -phunter2 db", "mysql -u root -p[password] db"),
        ("<password>hunter2</password>", "<password>[password]</password>"),
        (
            "Private-Lines: 2\nAAAAIabc+/=\nBBBB\nPrivate-MAC: 00",
            "Private-Lines: 2\n[private key]Private-MAC: 00",
        ),
        ("SG.abcdefghijklmnop.abcdefghijklmnopqrst", "[token]"),
        ("hvs.CAESIJabcdefghijklmnop", "[token]"),
        ("tokenxoxb-123456789012-abc", "token[token]"),
    ],
)
def test_numbers_keys_and_tokens_are_masked(text, expected):
    assert mask(text) == expected


@pytest.mark.parametrize(
    ("label", "secret"),
    [
        ("password: ", "hunter2"),
        ("PASSWORD:", "hunter2"),
        ("my password:\n", "hunter"),
        ("*password:* ", "`foo bar`"),
        ("pw is ", "hunter"),
        ("pwd=", "abc"),
        ("pw ", "hunter22"),
        ("the wifi password for guests is ", "Welcome1"),
        ("Password (temporary): ", "Spring!"),
        ("I changed my password to ", "Winter2025!"),
        ("password: password: ", "x99"),
        ("passphrase: ", "correct horse battery staple"),
        ("user/pass: ", "bob / hunter2"),
        ("passwort: ", "geheim"),
        ("mein Passwort lautet ", "Sommer24"),
        ("contraseña: ", "hola"),
        ("mi contraseña es ", "perro123"),
        ("mot de passe : ", "bonjour"),
        ("mon mot de passe est ", "soleil"),
        ("minha senha é ", "gato99"),
        ("PIN: ", "4711"),
        ("pin code is ", "123456"),
        ("passcode ", "774411a"),
        ("password -> ", "hunter2"),
        ("password - ", "hunter2"),
        ("my pass is ", "hunter2"),
        ("the password's ", "hunter2"),
        ("my new password will be ", "hunter2"),
        ("username\nbob\npassword\n", "hunter22"),
        ("P/W: ", "hunter"),
        ("DB_PASSWORD=", "hunter"),
        ("PASSWORD_PROD=", "hunter"),
        ("_password_ : ", "hunter"),
        ("`password`: ", "`hunter`"),
        ("password: ", "```\nhunter\n```"),
        ("Password: ", "purple monkey dishwasher"),
        ("secret: ", "hunter2"),
        ("credentials: bob / ", "hunter2"),
        ("OTP: ", "123456"),
        ("cvv ", "123"),
        ("пароль ", "жизнь12"),
        ("パスワードは", "hunter2"),
        ("senha : ", "gato"),
        ("parola d'ordine: ", "gatto"),
    ],
)
def test_what_follows_a_password_word_is_masked(label, secret):
    assert mask(label + secret) == f"{label}[password]"


@pytest.mark.parametrize(
    "text",
    [
        "my password is not working",
        "password expired",
        "reset password please",
        "password reset link: https://x.y/z",
        "password: <https://vault.example.com|in the vault>",
        "Password: please reset",
        "Username:\nPassword:\nIssue: printer",
        "the password is wrong!",
        "password is about to expire in 3 days",
        "password of user jdoe123 expired",
        "reset my password to Office365",
        "password INC0012345",
        "Password - laptop asks for it again and again",
        "top secret: the offsite, and the bus pass is lost",
        "we call it the passport office - room 12345",
        "ports 8080/8443, builds 4.1.1.1111 and 2026.11.22",
        "score 0.4111111111111111",
        "redis://cache:6379/0 and https://host:8080/a@b",
        "change password error 0x80070005",
        "mot de passe oublié",
        "mein passwort ist abgelaufen",
        "mi contraseña no funciona",
        "minha senha expirou",
        "I need a new PIN for the door, pin this message",
        "serial 5CG1234XYZ, asset 1234567890123456",
        "IMEI 490154203237518",
        "order 4500123456 of 2026-11-22",
        "ip 192.168.100.200 mac 00:1A:2B:3C:4D:5E",
        "+49 1512 3456789 or 0049 711 1234567 or 555-123-4567",
        "123e4567-e89b-12d3-a456-426614174000",
        "1700000000000",
        "SO 12345678901234567890",
        "bearer of bad news, secret santa: everyone bring gifts",
        "token: not working anymore",
        "DE12 is the room, version 10.0.19045.3693",
    ],
)
def test_ordinary_ticket_text_is_left_alone(text):
    assert mask(text) == text


CARD = "4111 1111 1111 1111"
FULL_WIDTH = {code: code + 0xFEE0 for code in range(ord("!"), ord("~") + 1)}
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize(
    "written",
    [
        *(CARD.replace(" ", mark) for mark in "\u00a0.\u2011\u2013_/\n\u200b\u2060\u200d"),
        *(CARD.replace(" ", marks) for marks in ("  ", ", ", " - ", "* *")),
        " ".join(CARD.replace(" ", "")),
        CARD.translate(FULL_WIDTH),
        CARD.translate(ARABIC),
        f"```{CARD}```",
        "cc" + CARD.replace(" ", "") + "exp",
        "+" + CARD.replace(" ", ""),
    ],
)
def test_a_card_is_found_however_it_is_written(written):
    assert "[card number]" in mask(f"it is {written} ok")
    assert "111" not in mask(f"it is {written} ok")


@pytest.mark.parametrize(
    "written",
    [
        "p\u200bassword: hunter2",
        "pass\u00adword: hunter2",
        "password\u2060: hunter2",
        "password:".translate(FULL_WIDTH) + "hunter2",
        "password\u00a0is\u00a0hunter2",
        "contrasen\u0303a: hunter2",
        "the password\u2019s hunter2",
        "xoxb\u2011123456789012\u2011hunter2",
        "\u2014\u2013BEGIN PRIVATE KEY\u2014\u2013\nhunter2",
        "I am using hunter2 as my password",
    ],
)
def test_look_alikes_hide_nothing(written):
    assert "hunter2" not in mask(f"hi, {written}")


def test_look_alikes_without_a_secret_stay():
    text = "caf\u00e9 \u2013 it\u2019s \u201cbroken\u201d\u2026 \u21165, \uff11\uff12"
    assert mask(text) == text


def test_no_letter_makes_a_message_many_times_as_long():
    assert len(mask("\ufdfa\ufdfb" * 100 + "pass\u00adword: hunter2")) < 300


def with_check_digit(digits: str) -> str:
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[::-2]]
    return digits + str(-(sum(doubled) + sum(map(int, digits[-2::-2]))) % 10)


@given(st.sampled_from(["4", "51", "55", "6011"]), st.integers(0, 10**14), st.sampled_from(" -"))
def test_every_valid_card_is_masked_and_no_invalid_one(prefix, number, separator):
    card = with_check_digit((prefix + f"{number:015}")[:15])
    wrong = card[:-1] + str((int(card[-1]) + 1) % 10)
    grouped = separator.join(card[i : i + 4] for i in range(0, 16, 4))
    assert mask(f"card {card} or {grouped}!") == "card [card number] or [card number]!"
    assert mask(f"card {wrong}") == f"card {wrong}"


@given(st.text("0123456789", min_size=18, max_size=18))
def test_every_valid_iban_is_masked(account):
    check = 98 - int(account + "131400") % 97  # D = 13, E = 14
    iban = f"DE{check:02}{account}"
    assert mask(f"to {iban}.") == "to [IBAN]."
    assert mask(f"to {iban}9.") == f"to {iban}9."


PIECES = (
    "password|Password:|passwort ist|is|pw|: |=| |\n|hunter2|x|my|for|PIN 4711|4111 1111 1111 1111"
    "|1|DE89 3704 0044 0532 0130 00|078-05-1120|xoxb-1234567890|eyJaaaaaa.|bbbbbb.c|secret=|key: "
    "|[password]|[token]|[|]|\"|'|`|*|/ |passphrase: a b|://u:|p@h|Bearer |abc123def456ghi7"
    "|-----BEGIN PRIVATE KEY-----|-----END PRIVATE KEY-----|\u00a0|\u200b|\u2013|\uff14111"
    "|パスワードは"
    "|```|redis://|curl -u a:|mysql -p|<password>|</password>|&sig=|credentials: |,| as my password"
    "|'s |_|->|otp |cvv |Private-Lines: 1\n|SG.|secret: |4111111111111111"
)

HOSTILE = (
    "redis://:|curl |mysql |4 |4, |SG.|Private-Lines: 1\n|password - |\u200b1|\u00e9 1 |&sig=a"
    "|<secret>a|credentials: a |aaaaaa as my |xox|1234567890123 |"
    "1 |1|1-|password |password: |password for a |a@|-----BEGIN PRIVATE KEY-----|DE12 |xoxb-|eyJ"
    '|://a:|a-|pin |password is |key:|"|password:"|4111 1111 1111 1111 |12a '
)


@given(st.lists(st.sampled_from(PIECES.split("|")), max_size=20).map("".join))
def test_masking_twice_changes_nothing_more(text):
    assert mask(mask(text)) == mask(text)


@given(st.text(st.characters(codec=None), max_size=100))
def test_text_without_digits_and_trigger_words_is_never_changed(text):
    lowered = text.lower()
    assume(not any(map(str.isdigit, text)))
    assume(not any(word in lowered for word in ("p", "k", "senha", "clave", "s", "密", "パ", "비")))
    assert mask(text) == text


@pytest.mark.parametrize("unit", HOSTILE.split("|"))
def test_hostile_text_takes_linear_time(unit, assert_linear):
    assert_linear(mask, unit)
