"""`views.*`: modals and App Homes."""

from __future__ import annotations

from slackbot.playground.errors import ApiError
from slackbot.playground.limits import Surface, check_view
from slackbot.playground.methods.call import Call
from slackbot.playground.payloads import view_json
from slackbot.playground.records import Json, View


def open_view(call: Call) -> Json:
    """`views.open`: show a modal to whoever caused the trigger."""
    body = check_view(call.args.values["view"], Surface.MODAL)
    user = call.site.triggers.exchange(call.args.required("trigger_id"))
    return _answer(call, call.site.modals.open(user, body))


def push_view(call: Call) -> Json:
    """`views.push`: put a modal on top of the open one."""
    body = check_view(call.args.values["view"], Surface.MODAL)
    user = call.site.triggers.exchange(call.args.required("trigger_id"))
    return _answer(call, call.site.modals.push(user, body))


def update_view(call: Call) -> Json:
    """`views.update`: replace an open modal or a published App Home."""
    view_id, external_id = call.args.text("view_id"), call.args.text("external_id")
    if not view_id and not external_id:
        raise ApiError("invalid_arguments", "must define `view_id` or `external_id`")
    view = call.site.modals.find(view_id, external_id)
    body = check_view(call.args.values["view"], Surface(view.body["type"]))
    call.site.modals.update(view, body, call.args.text("hash"))
    return _answer(call, view)


def publish_view(call: Call) -> Json:
    """`views.publish`: set a person's App Home."""
    if not call.app.manifest.home_tab:
        raise ApiError("not_enabled")
    user_id = call.args.required("user_id")
    if user_id not in call.site.workspace.users:
        raise ApiError("invalid_arguments", "invalid `user_id`")
    body = check_view(call.args.values["view"], Surface.HOME)
    return _answer(call, call.site.modals.publish(user_id, body, call.args.text("hash")))


def _answer(call: Call, view: View) -> Json:
    return {"view": view_json(view, call.app)}
