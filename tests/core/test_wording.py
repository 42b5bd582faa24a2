"""What the words alone tell, whatever the model says."""

import pytest

from core.wording import is_pleasantry, names_nothing, reports_incident


@pytest.mark.parametrize(
    "text",
    [
        "urgent!!!",
        "URGENT please",
        "it\u2019s urgent",
        "any update?",
        "broken",
        "hi all",
        "ayuda por favor, no funciona nada",
        "não funciona, alguém ajuda?",
        "ça marche plus du tout svp",
        "Hilfe, geht nicht mehr!",
    ],
)
def test_urgency_alone_names_nothing(text):
    assert names_nothing(text)


@pytest.mark.parametrize(
    "text",
    [
        "vpn down",
        "printer",
        "urgent: email",
        "error 0x80070005",
        "PAS down",
        "no funciona la impresora",
        "Drucker geht nicht",
        "срочно",
        "パソコン",
    ],
)
def test_one_word_that_is_none_of_these_may_name_the_thing(text):
    assert not names_nothing(text)


@pytest.mark.parametrize(
    "text",
    ["thanks a lot!", "Ok!", "LOL", "buenos días a todos", "valeu!", "bon week-end", "Danke dir"],
)
def test_who_greets_thanks_or_agrees_is_pleasant(text):
    assert is_pleasantry(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!",
        "help",
        "thanks for the new laptop",
        "ok 12345",
        "nada funciona",
        "Danke, geht nicht",
    ],
)
def test_who_says_more_is_not_merely_pleasant(text):
    assert not is_pleasantry(text)


@pytest.mark.parametrize(
    "text",
    [
        "I think I clicked on a phishing link and typed my password",
        "i got phished",
        "I think I have a virus",
        "My account was hacked",
        "Someone stole my laptop on the train",
        "we've been hit, our files were encrypted, it says we have ransomware",
        "me han robado el portátil en el tren",
        "hice clic en un correo de phishing y puse la contraseña",
        "roubaram o meu celular da empresa",
        "acho que abri um anexo com vírus",
        "on m\u2019a volé mon pc dans la voiture",
        "je me suis fait pirater mon compte",
        "mir wurde gestern das Diensthandy geklaut",
        "ich hab auf einen Phishing-Link geklickt",
    ],
)
def test_who_was_phished_hacked_or_robbed_reports_an_incident(text):
    assert reports_incident(text)


@pytest.mark.parametrize(
    "text",
    [
        "reminder: phishing training is due for all wards by the 30th",
        "great session about phishing btw, the fake DHL mail got even our boss",
        "did you read about that hospital ransomware thing? scary",
        "Yesterday's phishing test: 4 % clicked, 61 % reported. Well done!",
        "that wasn't a phishing mail btw, it was the real canteen",
        "viste lo del ransomware en el ayuntamiento de Sevilla?",
        "hoje tem treinamento de phishing às 15h",
        "vous avez lu l'article sur la fuite chez l'opérateur ?",
        "morgen Schulung zu Phishing, wer kommt mit?",
    ],
)
def test_talk_about_such_things_is_none(text):
    assert not reports_incident(text)
