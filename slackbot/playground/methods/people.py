"""`auth.*`, `bots.*`, `users.*` and `usergroups.*`: who is who."""

from __future__ import annotations

from slackbot.playground.errors import ApiError
from slackbot.playground.methods.call import Call
from slackbot.playground.payloads import user_json, usergroup_json
from slackbot.playground.records import Json


def auth_test(call: Call) -> Json:
    """`auth.test`: whose token this is."""
    return {
        "url": f"https://{call.app.team}.slack.com/",
        "team": call.app.team,
        "team_id": call.app.team_id,
        "user": call.bot.name,
        "user_id": call.bot.id,
        "bot_id": call.app.bot_id,
        "is_enterprise_install": False,
    }


def bot_info(call: Call) -> Json:
    """`bots.info`: a bot by its bot id."""
    bot_id = call.args.text("bot") or call.app.bot_id
    for user in call.site.workspace.users.values():
        if user.bot_id == bot_id:
            about = {"id": bot_id, "app_id": user.app_id, "user_id": user.id, "name": user.name}
            return {"bot": {**about, "deleted": user.deleted, "updated": 0, "icons": {}}}
    raise ApiError("bot_not_found")


def user_info(call: Call) -> Json:
    """`users.info`: one account."""
    with_email = "users:read.email" in call.app.manifest.scopes
    return {"user": user_json(call.user(), with_email=with_email)}


def list_usergroups(call: Call) -> Json:
    """`usergroups.list`: all user groups."""
    with_users = call.args.flag("include_users")
    groups = call.site.workspace.usergroups.values()
    return {
        "usergroups": [usergroup_json(g, call.app.team_id, with_users=with_users) for g in groups]
    }


def list_usergroup_users(call: Call) -> Json:
    """`usergroups.users.list`: who is in a user group."""
    group = call.site.workspace.usergroups.get(call.args.required("usergroup"))
    if group is None:
        raise ApiError("no_such_subteam")
    return {"users": list(group.users)}
