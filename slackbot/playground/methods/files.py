"""`files.*`: upload in three steps, look up, delete."""

from __future__ import annotations

from slackbot.playground.errors import ApiError
from slackbot.playground.methods.call import Call
from slackbot.playground.payloads import file_json
from slackbot.playground.records import Json, StoredFile
from slackbot.playground.workspace import Draft


def get_upload_url(call: Call) -> Json:
    """`files.getUploadURLExternal`: announce a file, learn where its bytes go."""
    length = call.args.number("length", 1, most=1_000_000_000, error="invalid_arguments")
    name = call.args.required("filename")
    file_id = call.site.workspace.new_id("F")
    call.site.workspace.files[file_id] = StoredFile(
        id=file_id,
        name=name,
        title=name,
        user=call.bot.id,
        length=length,
        url=f"{call.base_url}/files/{file_id}",
        alt_text=call.args.text("alt_txt") or "",
    )
    return {"upload_url": f"{call.base_url}/upload/{file_id}", "file_id": file_id}


def complete_upload(call: Call) -> Json:
    """`files.completeUploadExternal`: make uploaded files visible, in channels if wanted."""
    files = [_uploaded(call, wanted) for wanted in call.args.list("files")]
    if not files:
        raise ApiError("invalid_arguments", "no fewer than 1 items allowed [json-pointer:/files]")
    places = call.args.names("channels") or call.args.names("channel_id")
    channels = [call.site.workspace.channels.get(place) for place in places]
    if any(channel is None or call.bot.id not in channel.members for channel in channels):
        raise ApiError("invalid_channel")
    for file, wanted in zip(files, call.args.list("files"), strict=True):
        file.title, file.shared = wanted.get("title") or file.title, True
    draft = Draft(
        text=call.args.text("initial_comment") or "",
        files=tuple(files),
        thread_ts=call.args.text("thread_ts"),
        subtype="file_share",
    )
    for channel in filter(None, channels):
        call.site.workspace.post(channel, call.bot, draft)
    return {"files": [file_json(file) for file in files]}


def file_info(call: Call) -> Json:
    """`files.info`: one file."""
    return {"file": file_json(_shared(call))}


def delete_file(call: Call) -> Json:
    """`files.delete`: take one of the bot's own files away."""
    file = _shared(call)
    if file.user != call.bot.id:
        raise ApiError("cant_delete_file")
    del call.site.workspace.files[file.id]
    return {}


def _uploaded(call: Call, wanted: Json) -> StoredFile:
    file = call.site.workspace.files.get(str(wanted.get("id")))
    if file is None or file.content is None or file.shared:
        raise ApiError("file_not_found")
    return file


def _shared(call: Call) -> StoredFile:
    file = call.site.workspace.files.get(call.args.required("file"))
    if file is None or not file.shared:
        raise ApiError("file_not_found")
    return file
