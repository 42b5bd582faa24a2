import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.language import UNDETERMINED, detect

TERSE_ENGLISH = """vpn down
printer jam 3rd floor
need adobe pls
password reset
laptop slow
cant login
new monitor for Priya
pls unlock my acct
sap access for Juan
disk full on prod-db-02
CRITICAL: CPU 99% host web-14
onboarding tomorrow: Maria Lopez, sales
offboarding José Garcia friday
José Müller's laptop is broken
what's the status of REQ0088120?
error 0x80070005 when installing visio
thx!
lgtm
+1
hi
vpn vpn vpn"""

SENTENCES = {
    "de": """Mein Rechner geht nicht
Drucker kaputt
bitte Passwort zurücksetzen
Outlook stürzt ständig ab
Hallo zusammen, der Server ist nicht erreichbar""",
    "fr": """Mon ordinateur ne démarre plus
VPN ne marche pas
mot de passe oublié
souris cassée
Bonjour, pouvez-vous réinitialiser mon mot de passe ?""",
    "es": """Mi ordenador no arranca
olvidé mi contraseña
necesito una pantalla nueva
no hay red en la tercera planta
¿alguien me puede ayudar?""",
    "pt": """Meu computador não liga
esqueci minha senha
preciso de um monitor novo
sem rede no terceiro andar
Bom dia, poderiam redefinir minha senha?""",
    "it": "Il mio computer non si accende\nla stampante è bloccata",
    "nl": "Mijn laptop start niet meer op\nde printer doet het niet",
    "pl": "Mój komputer się nie włącza\nnie mogę zalogować się na konto",
    "sv": "Min dator startar inte\njag har glömt mitt lösenord",
    "ru": "не работает принтер\nOutlook не работает",
    "zh": "打印机坏了\nVPN 打不开",
    "ja": "パソコンが起動しません",
    "ko": "프린터가 작동하지 않습니다",
    "ar": "الطابعة لا تعمل",
    "he": "המדפסת לא עובדת",
    "hi": "प्रिंटर काम नहीं कर रहा है",
    "th": "เครื่องพิมพ์ใช้งานไม่ได้",
    "el": "Εκτυπωτής δεν λειτουργεί",
}


@pytest.mark.parametrize("text", TERSE_ENGLISH.splitlines())
def test_terse_english_is_english_or_undetermined(text):
    assert detect(text) in {"en", UNDETERMINED}


@pytest.mark.parametrize("text", TERSE_ENGLISH.splitlines()[:10])
def test_terse_english_of_two_words_is_mostly_english(text):
    assert detect(text) == "en" or len(text.split()) == 1


@pytest.mark.parametrize(
    ("language", "text"),
    [(language, text) for language, texts in SENTENCES.items() for text in texts.splitlines()],
)
def test_other_languages_are_found(language, text):
    assert detect(text) == language


@given(st.text("0123456789.,:/-!? \n", max_size=50))
def test_no_letters_no_language(text):
    assert detect(text) == UNDETERMINED


@given(st.text(max_size=100))
def test_any_text_gets_one_code(text):
    assert 2 <= len(detect(text)) <= 3
