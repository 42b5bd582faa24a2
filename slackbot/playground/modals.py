"""Modals in their stacks and App Homes: what each person has open."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from slackbot.playground import blocks as block_kit
from slackbot.playground.changes import Change, What
from slackbot.playground.errors import ApiError
from slackbot.playground.records import Json, View
from slackbot.playground.workspace import Workspace

STACK_LIMIT = 3


class Modals:
    """The views of a workspace.

    Attributes:
        homes: The published App Home by user id.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.homes: dict[str, View] = {}
        self._workspace = workspace
        self._stacks: defaultdict[str, list[View]] = defaultdict(list)

    def top(self, user: str) -> View | None:
        """The modal in front of a person, if there is one."""
        stack = self._stacks[user]
        return stack[-1] if stack else None

    def find(self, view_id: str | None = None, external_id: str | None = None) -> View:
        """An open modal or a published App Home.

        Raises:
            ApiError: `not_found`, for example because the person has closed it.
        """
        for view in self._all():
            if view.id == view_id or (external_id and view.body.get("external_id") == external_id):
                return view
        raise ApiError("not_found")

    def _all(self) -> Iterator[View]:
        for stack in self._stacks.values():
            yield from stack
        yield from self.homes.values()

    def open(self, user: str, body: Json) -> View:
        """Open a modal as the first of a new stack."""
        self._stacks[user].clear()
        return self._add(user, body, None)

    def push(self, user: str, body: Json) -> View:
        """Put a modal on top of the one that is open.

        Raises:
            ApiError: `not_found` without an open modal, `push_limit_reached` above three.
        """
        below = self.top(user)
        if below is None:
            raise ApiError("not_found")
        if len(self._stacks[user]) >= STACK_LIMIT:
            raise ApiError("push_limit_reached")
        return self._add(user, body, below)

    def _add(self, user: str, body: Json, below: View | None) -> View:
        view = self._new(user, body, below)
        self._stacks[user].append(view)
        self._show(view)
        return view

    def _new(self, user: str, body: Json, below: View | None = None) -> View:
        self._check_external_id(body)
        view_id = self._workspace.new_id("V")
        return View(
            id=view_id,
            user=user,
            body={**body, "blocks": block_kit.with_ids(body["blocks"], f"{view_id}.")},
            hash=self._new_hash(),
            root_id=below.root_id if below else view_id,
            previous_id=below.id if below else None,
        )

    def update(self, view: View, body: Json, expected_hash: str | None = None) -> None:
        """Replace a view's content; what was typed stays where block and action ids stay.

        Raises:
            ApiError: `hash_conflict` when the view has changed since `expected_hash`.
        """
        if expected_hash is not None and expected_hash != view.hash:
            raise ApiError("hash_conflict")
        self._check_external_id(body, allowed=view.body.get("external_id"))
        view.body = {**body, "blocks": block_kit.with_ids(body["blocks"], f"{view.id}.")}
        view.hash = self._new_hash()
        view.errors = {}
        there = {(block_id, e["action_id"]) for block_id, e in block_kit.elements(view.blocks)}
        view.values = {
            block_id: kept
            for block_id, typed in view.values.items()
            if (kept := {a: value for a, value in typed.items() if (block_id, a) in there})
        }
        self._show(view)

    def publish(self, user: str, body: Json, expected_hash: str | None = None) -> View:
        """Set a person's App Home.

        Raises:
            ApiError: `hash_conflict` when it has changed since `expected_hash`.
        """
        view = self.homes.get(user)
        if view is not None:
            self.update(view, body, expected_hash)
            return view
        self.homes[user] = view = self._new(user, body)
        self._show(view)
        return view

    def object_to(self, view: View, errors: dict[str, str]) -> None:
        """Show the app's objections to what was submitted."""
        view.errors = errors
        self._workspace.feed.publish(Change(What.VIEWED, view=view, user=view.user))

    def close(self, view: View) -> None:
        """Take a modal and everything above it off the stack."""
        stack = self._stacks[view.user]
        if view in stack:
            del stack[stack.index(view) :]
        self._workspace.feed.publish(Change(What.VIEWED, view=view, user=view.user))

    def close_all(self, user: str) -> None:
        """Close a person's whole stack."""
        if stack := self._stacks[user]:
            self.close(stack[0])

    def _show(self, view: View) -> None:
        self._workspace.note_broadcasts(view.id, view.blocks)
        self._workspace.feed.publish(Change(What.VIEWED, view=view, user=view.user))

    def _new_hash(self) -> str:
        tick = self._workspace.tick()
        return f"{tick.partition('.')[0]}.{hashlib.sha256(tick.encode()).hexdigest()[:8]}"

    def _check_external_id(self, body: Json, allowed: str | None = None) -> None:
        external_id = body.get("external_id")
        if not external_id or external_id == allowed:
            return
        if any(view.body.get("external_id") == external_id for view in self._all()):
            raise ApiError("duplicate_external_id")
