"""A person at their Slack client: says, reacts, commands, clicks, fills in, submits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slackbot.playground import answers, forms
from slackbot.playground.arguments import Arguments
from slackbot.playground.changes import Change, What
from slackbot.playground.delivery import Courier, Kind
from slackbot.playground.errors import ApiError, NotAcknowledgedError, NotPossibleError
from slackbot.playground.interactions import Interactions
from slackbot.playground.records import (
    Channel,
    ChannelKind,
    Json,
    Message,
    StoredFile,
    User,
    View,
)
from slackbot.playground.site import Site
from slackbot.playground.workspace import Draft


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """Somebody who uses the workspace, within the limits of Slack's own client.

    Every method raises `NotPossibleError` for what the client would not offer: writing where one
    is not, changing other people's messages, pressing what is not on the screen.

    Attributes:
        account: Who they are.
        site: The workspace they see.
        courier: Brings what they do to the app.
        base_url: The playground's address.
    """

    account: User
    site: Site
    courier: Courier
    base_url: str

    @property
    def id(self) -> str:
        """The user id."""
        return self.account.id

    @property
    def name(self) -> str:
        """The short name."""
        return self.account.name

    # Messages ------------------------------------------------------------------------------

    async def say(
        self,
        place: Channel | str,
        text: str,
        *,
        thread: Message | None = None,
        files: Sequence[str] = (),
        subtype: str | None = None,
    ) -> Message:
        """Post a message.

        Args:
            place: A channel, its id, or the id of a user to write to directly.
            text: In Slack's mrkdwn, `<@U...>` mentions somebody.
            thread: Any message of the thread to answer in.
            files: Names of files to share with it.
            subtype: `thread_broadcast`, or what Slack writes for people, `channel_join` for
                example.
        """
        draft = Draft(
            text=text,
            files=tuple(map(self._file, files)),
            thread_ts=thread.ts if thread else None,
            subtype="file_share" if files else subtype,
        )
        if draft.is_empty:
            raise NotPossibleError("an empty message cannot be sent")
        return self.site.workspace.post(self._writable(place), self.account, draft)

    def _writable(self, place: Channel | str) -> Channel:
        workspace = self.site.workspace
        if isinstance(place, Channel):
            channel = place
        elif place in workspace.users:
            channel = workspace.open_dm(self.id, place)
        else:
            channel = workspace.channels[place]
        if self.id not in channel.members or channel.archived:
            raise NotPossibleError(f"{self.name} cannot write in {channel.name or channel.id}")
        with_app = channel.kind is ChannelKind.IM and workspace.bot.id in channel.members
        if with_app and not workspace.app.manifest.messages_tab:
            raise NotPossibleError("sending messages to this app has been turned off")
        return channel

    def _file(self, name: str) -> StoredFile:
        file_id = self.site.workspace.new_id("F")
        url = f"{self.base_url}/files/{file_id}"
        file = StoredFile(file_id, name, name, self.id, 0, url, content=b"", shared=True)
        self.site.workspace.files[file_id] = file
        return file

    async def edit(self, message: Message, text: str) -> None:
        """Change the text of an own message."""
        self._check_own(message)
        self.site.workspace.edit(message, Draft(text), self.id)

    async def delete(self, message: Message) -> None:
        """Delete an own message."""
        self._check_own(message)
        self.site.workspace.delete(message, self.id)

    def _check_own(self, message: Message) -> None:
        if message.user != self.id or message.deleted:
            raise NotPossibleError(f"{self.name} cannot change this message")

    async def react(self, message: Message, emoji: str) -> None:
        """Add a reaction, `ticket` for example."""
        self._check_sees(message)
        if not self.site.workspace.react(message, emoji, self.id):
            raise NotPossibleError(f"{self.name} has reacted with {emoji} already")

    async def unreact(self, message: Message, emoji: str) -> None:
        """Take a reaction back."""
        if not self.site.workspace.unreact(message, emoji, self.id):
            raise NotPossibleError(f"{self.name} has not reacted with {emoji}")

    def _check_sees(self, message: Message) -> None:
        channel = self.site.workspace.channels[message.channel]
        member = self.id in channel.members or channel.kind is ChannelKind.PUBLIC
        if message.deleted or not member or message.only_for not in (None, self.id):
            raise NotPossibleError(f"{self.name} does not see this message")

    # Commands and shortcuts ------------------------------------------------------------------

    async def command(self, command: str, text: str = "", *, channel: Channel) -> Message | None:
        """Type a slash command.

        Returns:
            What this person sees at once: the answer, Slack's own error, or nothing.
        """
        if command not in self.site.workspace.app.manifest.commands:
            raise NotPossibleError(f"{command} is not a valid command")
        if self.id not in channel.members:
            raise NotPossibleError(f"{self.name} cannot write in {channel.name}")
        payload = self._does.command(command, text, channel)
        try:
            answer = await self.courier.interact(Kind.COMMAND, command, payload)
            if not answer:
                return None
            return answers.say(self.site, channel.id, self.id, Arguments(answer))
        except NotAcknowledgedError as error:
            shown = "operation_timeout" if "timeout" in error.reason else "dispatch_failed"
        except ApiError:
            shown = "invalid_command_response"
        text = f'{command} failed with the error "{shown}"'
        return self.site.workspace.whisper_as_slack(channel, text, self.id)

    async def shortcut(self, callback_id: str, message: Message) -> bool:
        """Use a message shortcut; returns whether the app took it."""
        self._check_shortcut(callback_id, "message")
        self._check_sees(message)
        return await self._interact(self._does.message_shortcut(callback_id, message))

    async def global_shortcut(self, callback_id: str) -> bool:
        """Use a global shortcut; returns whether the app took it."""
        self._check_shortcut(callback_id, "global")
        return await self._interact(self._does.global_shortcut(callback_id))

    def _check_shortcut(self, callback_id: str, kind: str) -> None:
        if self.site.workspace.app.manifest.shortcuts.get(callback_id) != kind:
            raise NotPossibleError(f"there is no {kind} shortcut {callback_id}")

    # Blocks ----------------------------------------------------------------------------------

    async def click(
        self, target: Message | View, action_id: str, *, value: str | None = None
    ) -> bool:
        """Press a button; returns whether the app took it.

        Args:
            target: The message or view with the button.
            action_id: The button's.
            value: How its value begins, when several buttons share the `action_id`.
        """
        block_id, button = forms.locate(target, action_id, value)
        if button["type"] != "button":
            raise NotPossibleError(f"{action_id} is a {button['type']}, not a button")
        action = {k: v for k, v in button.items() if k in ("type", "text", "value", "style")}
        return await self._act(target, block_id, action_id, action)

    async def choose(
        self,
        target: Message | View,
        action_id: str,
        choice: str | Sequence[str],
        *,
        value: str | None = None,
    ) -> bool:
        """Choose from a menu; returns whether the app took it.

        Args:
            target: The message or view with the menu.
            action_id: The menu's.
            choice: The option's text or its beginning; several where several may be chosen.
            value: How one of its values begins, when several menus share the `action_id`.
        """
        block_id, menu = forms.locate(target, action_id, value)
        return await self._act(target, block_id, action_id, forms.state(menu, choice))

    async def _act(
        self, target: Message | View, block_id: str, action_id: str, action: Json
    ) -> bool:
        done = {"block_id": block_id, "action_id": action_id, **action}
        remembered = action["type"] not in ("button", "overflow")
        typed = {block_id: {action_id: action}} if remembered else {}
        if isinstance(target, Message):
            self._check_sees(target)
            return await self._interact(self._does.action_on_message(target, done, typed))
        if target not in (self.site.modals.top(self.id), self.site.modals.homes.get(self.id)):
            raise NotPossibleError(f"{self.name} does not see this view")
        target.values = forms.merged(target.values, typed)
        return await self._interact(self._does.action_on_view(target, done))

    # Modals and App Home ---------------------------------------------------------------------

    async def submit(self, view: View, entries: Mapping[str, object] | None = None) -> View | None:
        """Fill a modal in and submit it.

        Args:
            view: The modal in front.
            entries: Values by `action_id` or `block_id`; option texts for menus.

        Returns:
            The modal that is in front afterwards, maybe the same with `errors`, or None.
        """
        modals = self.site.modals
        if modals.top(self.id) is not view or "submit" not in view.body:
            raise NotPossibleError("this view cannot be submitted")
        view.values = forms.filled(view, entries or {})
        self._check_chosen(view)
        payload = self._does.submission(view)
        try:
            answer = await self.courier.interact(Kind.INTERACTION, "view_submission", payload)
        except NotAcknowledgedError:
            modals.object_to(view, {"": answers.TROUBLE})
        else:
            answers.close_or_change(self.site, view, answer)
        return modals.top(self.id)

    def _check_chosen(self, view: View) -> None:
        """People and conversations can be chosen only from those that there are to see."""
        workspace = self.site.workspace
        seen = {
            channel.id
            for channel in workspace.channels.values()
            if self.id in channel.members or channel.kind is ChannelKind.PUBLIC
        }
        for name, ids in forms.chosen(view.values):
            there = workspace.users.keys() if "user" in name else seen
            if not set(ids) <= there:
                raise NotPossibleError(f"{self.name} cannot choose {', '.join(set(ids) - there)}")

    async def close(self, view: View) -> None:
        """Close a modal; the app hears of it if it asked to."""
        self.site.modals.close(view)
        if view.body.get("notify_on_close"):
            await self._interact(self._does.closing(view))

    async def open_home(self) -> None:
        """Open the app's Home."""
        workspace = self.site.workspace
        if not workspace.app.manifest.home_tab:
            raise NotPossibleError("the app has no Home")
        channel = workspace.open_dm(self.id, workspace.bot.id)
        workspace.feed.publish(Change(What.HOME_OPENED, channel, user=self.id))

    @property
    def _does(self) -> Interactions:
        return Interactions(self.account, self.site, self.base_url)

    async def _interact(self, payload: Json) -> bool:
        if not self.site.workspace.app.manifest.interactive:
            raise NotPossibleError("the app has no interactivity")
        try:
            await self.courier.interact(Kind.INTERACTION, payload["type"], payload)
        except NotAcknowledgedError:
            return False
        return True
