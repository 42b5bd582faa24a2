import pytest
from cryptography.fernet import Fernet

from slackbot.vault import CannotUnseal, Secrets, Vault

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRETS = Secrets("xoxb-the-token", "xoxe-the-refresh")


def test_what_is_sealed_shows_nothing_and_comes_back():
    sealed = Vault([OLD]).seal("T1", SECRETS)
    assert "xoxb" not in sealed
    assert Vault([OLD]).unseal("T1", sealed) == SECRETS
    assert "xox" not in repr(SECRETS)


def test_keys_are_changed_without_losing_anything():
    sealed = Vault([OLD]).seal("T1", SECRETS)
    both = Vault([NEW, OLD])
    assert both.unseal("T1", sealed) == SECRETS
    assert not both.is_current(sealed)
    again = both.seal("T1", SECRETS)
    assert both.is_current(again)
    assert Vault([NEW]).unseal("T1", again) == SECRETS


@pytest.mark.parametrize("team", ["T1", "T2"])
def test_nothing_opens_with_another_key_or_for_another_workspace(team):
    sealed = Vault([OLD]).seal("T1", SECRETS)
    key = NEW if team == "T1" else OLD
    with pytest.raises(CannotUnseal, match="AUTOTICKET_ENCRYPTION_KEY"):
        Vault([key]).unseal(team, sealed)


@pytest.mark.parametrize("keys", [[], ["short"], [OLD, "?" * 44]])
def test_no_key_is_no_vault(keys):
    with pytest.raises(ValueError):  # noqa: PT011  whatever the library says
        Vault(keys)
