"""What the words alone tell, whatever the model says: no subject, thanks, or a security incident.

In the languages that the shipped bundle was taught: English, Spanish, Portuguese, French, German.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NO_SUBJECT = (
    _words(
        """a again all already and any anybody anymore anyone are asap at badly been broke
        broken bump can can't cannot could critical do does doesn't don't down else
        emergency error everything fail failed fails fast fix fixed for going guys have
        hello help hey hi high i i'm important in is isn't issue issues it it's its
        immediately just me more my need needed needs news no not nothing now of on or our
        out please pls plz priority problem problems question quick quickly really right so
        somebody someone something sos still stuck super thanks that that's the there thing
        this ticket time to today too trouble up update updates urgent urgently us very want
        was we what when who why will with won't work working works would wrong you your"""
    ),
    _words(
        """a ahora al algo alguien algún alguna alguno anda aquí ayuda ayudar ayúdenme ayudenme
        buenas buenos con cosa de días dias el ella en error es eso esta está esto favor
        fallo falla funciona funcionan gente gracias ha hay hola hoy importante la lo los me
        mi mucho muy nada necesito no noches novedad novedades o os para pasa pasó pls por
        porfa prisa problema problemas pronto pueden puede podéis que qué se sigue sin
        socorro sos tarde tardes tengo ticket todavía todo todos tema un una urge urgencia
        urgente urgentemente va ya y"""
    ),
    _words(
        """a agora aí ainda ajuda ajudar ajudem algo alguém alguem algum alguma bom boa boas
        com consegue conseguem da de deu dia do é e em erro está esta estou favor funciona
        funcionam galera gente hoje importante isso isto me meu minha mais muito na nada não
        nao noite nova novas novidade novidades o oi ola olá os parou pessoal pf pfv pls por
        pra preciso pode podem pq problema problemas pronto que quê quebrou rápido rapido se
        sem socorro sos tarde tem ticket tudo um uma urgência urgencia urgente vai"""
    ),
    _words(
        """a à ai aide aidez aider au aujourd'hui besoin bonjour bonsoir bug ça ca c'est cassé
        ce cela chose de des du en encore erreur est et fait fonctionne fonctionnent help il
        important j'ai je jour l'aide la le les maintenant marche marchent merci moi mon ne
        news nouvelle nouvelles nous on où pas peut peux plaît plait plus pour pouvez
        pourquoi problème probleme problèmes quelqu'un quelque question qui quoi rapidement
        rien salut s'il sos secours stp svp te ticket toujours tous tout toute très un une
        urgence urgent vite vous y"""
    ),
    _words(
        """aber alle alles an bitte brauche brauchen da danke das der die dringend dringende
        echt ein eine einer eil eilt er es etwas fehler funktioniert funktionieren für geht
        gehts gibt gibt's guten hallo hab habe haben help heute hi hier hilfe hilf hilft ich
        immer in irgendwas ist jemand jetzt kann kaputt keine können könnt lg liebe mal man
        mehr mein meine mich mir mit moin morgen nicht nichts noch nix notfall nur ob
        probleme problem sache schnell sehr sofort sos stand ticket tag tut und uns update
        urgent wann warum was weiter wer wichtig wieder wir zu"""
    ),
)
"""Words of each language that name no thing: nobody could pick a queue by these alone."""


_PLEASANT = (
    _words(
        """a all alright and awesome cheers congrats congratulations cool day everybody everyone
        evening fine folks for good got great guys haha hahaha hello hey hi hiya it lol lovely lot
        many morning much nice night np ok okay perfect same so sorry sure ta team thank thanks
        thankyou that the there thx to too tx ty very weekend welcome well wow yay yeah yep yes
        you you're your"""
    ),
    _words(
        """a bueno buen buenas buenos dale de día dias días fin finde genial gracias hola
        igualmente jaja jajaja listo muchas muchísimas mil noches nada ok okey para perdón perfecto
        que semana tal tardes todas todos vale y"""
    ),
    _words(
        """a blz beleza boa boas bom certo de dia e fim galera haha kkk kkkk kkkkk muito nada noite
        obg obrigada obrigado oi ok ola olá para perfeito pessoal por semana show tarde tks todas
        todos tudo um valeu vlw ótimo"""
    ),
    _words(
        """a à ah beaucoup bien bisous bon bonjour bonne bonsoir coucou d'accord de et excellent
        génial haha hello journée la le merci mdr nickel ok parfait pas rien salut soirée souci
        super tous toutes tout weekend week end"""
    ),
    _words(
        """abend alle alles allen allerseits bestens danke dank dankeschön dir euch einen ein
        gern gerne guten gut gute haha hallo hi ja klar klasse lg lieben mahlzeit moin morgen ok
        okay passt perfekt prima schön schönen schönes super servus sehr tag team toll und vielen
        wochenende zusammen"""
    ),
)
"""Words of each language in which people greet, thank and agree; no trouble is told in them."""


def _near(first: str, second: str) -> str:
    """A pattern of one thing and then another in the same sentence, at most 40 characters on."""
    return rf"(?<!\w)(?:{first})(?!\w)[^.!?\n]{{0,40}}?(?<!\w)(?:{second})(?!\w)"


_THREAT = (
    r"phish\w*|hameçonn\w*|v[ií]rus(?:es)?|viren|malware|ransomware|rançongiciels?"
    r"|trojan\w*|troyanos?"
)

_INCIDENT = re.compile(
    "|".join(
        (
            _near(
                r"(?:i|we|my \w+|our \w+)(?:['\u2019](?:ve|m))? (?:[\w']+ ){0,3}?(?:clicked|opened"
                r"|fell for|got|get|have|has|had|been|was|were|is|answered|replied)",
                rf"{_THREAT}|hacked|stolen|compromised",
            ),
            r"(?<!\w)(?:stole|stolen|hacked) my(?!\w)",
            _near(
                r"me|nos|mis?|nuestr[oa]s?",
                r"rob(?:ad[oa]s?|aron|ó)|(?:hacke|jaque)(?:ad[oa]s?|aron|ó)|estafaron",
            ),
            _near(
                r"hice|hicimos|di|abr[ií]|ca[ií]|caímos|pinch[eé]|respond[ií]"
                r"|(?:he|hemos) (?:hecho|dado|abierto|caído|caido|pinchado|respondido)",
                _THREAT,
            ),
            r"(?<!\w)(?:roub|furt|hacke|clon)aram (?:[oa]s? )?(?:meus?|minhas?|noss[oa]s?)(?!\w)",
            _near(
                r"fui|fomos|meus?|minhas?|noss[oa]s?",
                r"(?:roubad|furtad|hackead|clonad|invadid)[oa]s?",
            ),
            _near(r"cliquei|clicamos|abri|abrimos|ca[íi]|caímos|respondi|respondemos", _THREAT),
            _near(
                r"m['\u2019]a|nous a|(?:suis|sommes) fait|mon|ma|mes|notre|nos",
                r"(?:vol|dérob|pirat|hack)(?:ée?s?|er)|hameçonn(?:ée?s?|er)",
            ),
            _near(r"(?:j['\u2019]ai|on a|avons) (?:cliqué|ouvert|répondu)", _THREAT),
            _near(r"mir|uns|meine?|unsere?", r"gestohlen|geklaut|gehackt|kompromittiert"),
            _near(
                r"ich|wir|haben?|hab|bin|sind",
                rf"(?:{_THREAT})(?!\w)[^.!?\n]{{0,30}}?(?<!\w)(?:an|rein|herein)?"
                r"(?:geklickt|geöffnet|gefallen|geantwortet|eingefangen)",
            ),
        )
    ),
    re.I,
)


def names_nothing(text: str) -> bool:
    """Whether a text says at most that something is urgent or broken, and never what.

    Args:
        text: A text as `core.text.normalize` leaves it.
    """
    return _only(_spoken(text), text, _NO_SUBJECT)


def _only(words: Sequence[str], text: str, of: Sequence[frozenset[str]]) -> bool:
    """Whether all words are those of one language; numbers may be those of tickets."""
    return not any(map(str.isdigit, text)) and any(own.issuperset(words) for own in of)


def _spoken(text: str) -> list[str]:
    return _WORD.findall(text.lower().replace("\u2019", "'"))


def is_pleasantry(text: str) -> bool:
    """Whether a text only greets, thanks or agrees: "thanks a lot!", "guten Morgen".

    Args:
        text: A text as `core.text.normalize` leaves it.
    """
    words = _spoken(text)
    return bool(words) and _only(words, text, _PLEASANT)


def reports_incident(text: str) -> bool:
    """Whether somebody says of themselves that they were phished, hacked or robbed.

    Talk about such things, as in "phishing training is due", is none.

    Args:
        text: A text as `core.text.normalize` leaves it.
    """
    return _INCIDENT.search(text) is not None
