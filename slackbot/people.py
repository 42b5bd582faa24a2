"""Who may settle tickets: users and user groups from the settings, never guests or strangers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from slack_sdk.web.async_client import AsyncWebClient

from slackbot.slack_calls import SlackFailure, sorted_failures
from slackbot.team_settings import TeamSettings

GROUP_LIFE_S = 60.0
"""How long a user group's members are remembered; Slack tells nobody when they change."""
USER_LIFE_S = 300.0

_OUTSIDERS = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger")
_ADMINS = ("is_admin", "is_owner", "is_primary_owner")


@dataclass(frozen=True, slots=True)
class _Account:
    """What matters of somebody's account: a full member of the workspace, one of its admins."""

    full_member: bool
    admin: bool


_NOBODY = _Account(full_member=False, admin=False)


class KnowsTeams(Protocol):
    """Knows the settings of teams."""

    async def of(self, team: str) -> TeamSettings:
        """Those of one team."""


@dataclass(slots=True)
class Reviewers:
    """Tells reviewers from other people.

    Attributes:
        client: Slack's Web API.
        teams: The settings, with the reviewers among them.
        team: The workspace that reviewers must belong to.
        clock: Seconds that only grow.
    """

    client: AsyncWebClient
    teams: KnowsTeams
    team: str
    clock: Callable[[], float] = time.monotonic
    _groups: dict[str, tuple[float, frozenset[str]]] = field(default_factory=dict)
    _accounts: dict[str, tuple[float, _Account]] = field(default_factory=dict)

    async def includes(self, user: str) -> bool:
        """Whether `user` may settle tickets.

        Raises:
            SlackFailure: When Slack cannot tell; the caller must refuse.
            DatabaseUnavailable: When nobody knows who the reviewers are.
        """
        ids = (await self.teams.of(self.team)).reviewers
        if user not in ids and not await self._in_a_group(user, ids):
            return False
        return await self.is_full_member(user)

    async def is_admin(self, user: str, *, anew: bool = True) -> bool:
        """Whether `user` administers the workspace, and so says who reviews.

        Args:
            user: Slack user id.
            anew: Ask Slack, and not what it said some minutes ago.

        Raises:
            SlackFailure: When Slack cannot tell; the caller must refuse.
        """
        if anew:
            self._accounts.pop(user, None)
        account = await self._account(user)
        return account.full_member and account.admin

    async def any_set(self) -> bool:
        """Whether the settings name any reviewers at all."""
        return bool((await self.teams.of(self.team)).reviewers)

    async def _in_a_group(self, user: str, ids: frozenset[str]) -> bool:
        failure: SlackFailure | None = None
        for group in sorted(i for i in ids if i.startswith("S")):
            try:
                if user in await self._members(group):
                    return True
            except SlackFailure as error:
                failure = error  # a group that was deleted must not lock out the others
        if failure is not None:
            raise failure
        return False

    async def _members(self, group: str) -> frozenset[str]:
        until, members = self._groups.get(group, (0.0, frozenset()))
        if self.clock() >= until:
            async with sorted_failures():
                answer = await self.client.usergroups_users_list(usergroup=group)
            members = frozenset(answer.get("users") or ())
            self._groups[group] = (self.clock() + GROUP_LIFE_S, members)
        return members

    async def is_full_member(self, user: str) -> bool:
        """Whether `user` is neither a guest nor of another organisation.

        Raises:
            SlackFailure: When Slack cannot tell.
        """
        return (await self._account(user)).full_member

    async def _account(self, user: str) -> _Account:
        until, account = self._accounts.get(user, (0.0, _NOBODY))
        if self.clock() >= until:
            async with sorted_failures():
                answer = await self.client.users_info(user=user)
            account = self._read(answer.get("user") or {}, user)
            self._accounts[user] = (self.clock() + USER_LIFE_S, account)
        return account

    def _read(self, found: dict[str, Any], user: str) -> _Account:
        """What Slack says of somebody.

        Guests and people of other organisations are no full members. A partner in a shared
        channel is no `is_stranger`, but has another `team_id`.
        """
        ours = found.get("id") == user and self._belongs_here(found)
        return _Account(
            full_member=ours and not any(found.get(flag) for flag in _OUTSIDERS),
            admin=any(found.get(role) for role in _ADMINS),
        )

    def _belongs_here(self, user: dict[str, Any]) -> bool:
        teams = (user.get("enterprise_user") or {}).get("teams") or []
        return user.get("team_id") in (None, self.team) or self.team in teams
