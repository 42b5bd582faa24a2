import contextlib
import hashlib
import io
import json
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import joblib
import pytest

from core import bundle
from core.bundle import Bundle, save
from core.errors import BundleError, CoreError
from core.manifest import MANIFEST, Manifest


class Trap:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.fixture
def saved(tmp_path, tiny_manifest, tiny_files):
    folder = tmp_path / "model"
    save(folder, tiny_manifest, tiny_files)
    return folder


def rewrite_manifest(folder: Path, **changes) -> None:
    raw = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(raw | changes))


def test_what_was_saved_is_loaded(saved, tiny_manifest, tiny_files):
    loaded = Bundle.load(saved)
    assert loaded.contents == tiny_files
    filled_in = {"version": "", "files": {}, "libraries": {}}
    assert replace(loaded.manifest, **filled_in) == tiny_manifest
    assert loaded.manifest.libraries["scikit-learn"].count(".") == 2
    assert loaded.encoder().encode(["laptop"]).argmax() == 0
    assert loaded.heads().queue is not None


def test_version_tells_day_and_content(tmp_path, tiny_manifest, tiny_files):
    first = save(tmp_path / "a", tiny_manifest, tiny_files).version
    later = replace(tiny_manifest, created_at=datetime(2027, 1, 2, tzinfo=UTC))
    other = replace(tiny_manifest, max_tokens=17)
    assert first.startswith("2026.11.22-")
    assert save(tmp_path / "b", tiny_manifest, tiny_files).version == first
    assert save(tmp_path / "c", later, tiny_files).version == "2027.01.02" + first[10:]
    assert save(tmp_path / "d", other, tiny_files).version != first


@pytest.mark.parametrize("name", ["encoder.onnx", "tokenizer.json", "heads.joblib"])
def test_a_changed_or_missing_file_is_refused(saved, name):
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(data)
    with pytest.raises(BundleError, match=f"{name} is not the file"):
        Bundle.load(saved)
    (saved / name).unlink()
    with pytest.raises(BundleError, match=f"{name} cannot be read"):
        Bundle.load(saved)


def test_nothing_is_unpickled_before_every_hash_was_right(saved, tmp_path):
    mark = tmp_path / "mark"
    joblib.dump(Trap(mark), saved / "heads.joblib")
    with pytest.raises(BundleError, match="is not the file"):
        Bundle.load(saved)
    assert not mark.exists()


def test_heads_must_be_heads(tmp_path, tiny_manifest, tiny_files):
    buffer = io.BytesIO()
    joblib.dump({"not": "heads"}, buffer)
    for content, complaint in ((buffer.getvalue(), "holds dict"), (b"junk", "cannot be read")):
        save(tmp_path / "m", tiny_manifest, tiny_files | {"heads.joblib": content})
        with pytest.raises(BundleError, match=complaint):
            Bundle.load(tmp_path / "m").heads()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"format": 1}, "another format"),
        ({"format": 99}, "newer version of AutoTicket .* update AutoTicket"),
        ({"dim": 7}, "was changed since the bundle was made"),
        ({"queues": ["Storage", "Access", "Hardware"]}, "was changed since"),
        ({"version": "2026.11.22-00000000"}, "was changed since"),
        ({"created_at": "2026-11-23T08:30:00+00:00"}, "was changed since"),
        ({"queues": None}, "damaged"),
        ({"rules": {}}, "damaged"),
        ({"created_at": "yesterday"}, "damaged"),
        ({"queues": ["Hardware"]}, "two queues"),
        ({"queues": ["Hardware", "Access", "Other"]}, "a threshold for each"),
        ({"files": {}}, "does not list encoder.onnx, heads.joblib, tokenizer.json"),
        ({"files": {"../../etc/passwd": "0" * 64}}, "no plain file name"),
        ({"files": {"/etc/passwd": "0" * 64}}, "no plain file name"),
        ({"files": {"heads.joblib": "short"}}, "no plain file name and hash"),
    ],
)
def test_a_manifest_that_cannot_be_right_is_refused(saved, changes, complaint):
    rewrite_manifest(saved, **changes)
    with pytest.raises(BundleError, match=complaint) as caught:
        Bundle.load(saved)
    assert "\n" not in str(caught.value)


def test_a_bundle_from_before_languages_were_told_apart_ignores_in_all_it_knows(saved):
    raw = json.loads((saved / MANIFEST).read_text())
    del raw["rules"]["ignore_below_in"]
    assert Manifest.from_json(raw).rules.may_ignore("und")


def test_a_bundle_with_one_limit_for_some_languages_ignores_in_these(saved):
    raw = json.loads((saved / MANIFEST).read_text())
    del raw["rules"]["ignore_below_in"]
    raw["rules"]["ignored_languages"] = ["en"]
    rules = Manifest.from_json(raw).rules
    assert rules.ignore_below_in == {"en": rules.ignore_below}


@pytest.mark.parametrize("change", [{"ignore_below": 1.5}, {"ignore_below_in": {"en": -1}}])
def test_thresholds_are_probabilities(saved, change):
    rules = json.loads((saved / MANIFEST).read_text())["rules"]
    rewrite_manifest(saved, rules=rules | change)
    with pytest.raises(BundleError, match="outside 0 to 1"):
        Bundle.load(saved)


@pytest.mark.parametrize("kind", ["thresholds", "stripped_thresholds"])
@pytest.mark.parametrize(
    ("thresholds", "complaint"),
    [
        ([0.9], "damaged"),
        ("0.9", "damaged"),
        ({"Hardware": 0.1}, "a threshold for each"),
        ({"Hardware": 0.1, "Access": 0.9, "Storage": 1.0}, "was changed since"),
    ],
)
def test_a_manifest_with_other_thresholds_is_refused(saved, kind, thresholds, complaint):
    rules = json.loads((saved / MANIFEST).read_text())["rules"]
    rewrite_manifest(saved, rules=rules | {kind: thresholds})
    with pytest.raises(BundleError, match=complaint):
        Bundle.load(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff", "[" * 100_000])
def test_a_manifest_that_is_no_json_object_is_refused(saved, text):
    (saved / MANIFEST).write_text(text, encoding="latin-1")
    with pytest.raises(BundleError):
        Bundle.load(saved)


def test_no_bundle_is_said_plainly(tmp_path):
    with pytest.raises(CoreError, match="no model bundle in"):
        Bundle.load(tmp_path / "nowhere")


def test_documents_may_be_added_but_no_other_file(saved):
    for name in ("README.md", "evaluation.json", "confusion.png"):
        (saved / name).write_text("words")
    Bundle.load(saved)
    (saved / "more").mkdir()
    (saved / "more" / "extra.pkl").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"extra\.pkl does not belong"):
        Bundle.load(saved)


def test_saving_refuses_what_is_no_bundle(tmp_path, tiny_manifest, tiny_files):
    home = tmp_path / "home"
    home.mkdir()
    (home / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="name an empty folder"):
        save(home, tiny_manifest, tiny_files)
    with pytest.raises(BundleError, match=r"a bundle needs heads\.joblib"):
        save(
            tmp_path / "m", tiny_manifest, {k: v for k, v in tiny_files.items() if "heads" not in k}
        )
    with pytest.raises(BundleError, match="no plain file name"):
        save(tmp_path / "m", tiny_manifest, {**tiny_files, "../evil": b""})
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert (home / "thesis.txt").read_text() == "years of work"


def test_saving_again_replaces_the_whole_folder(saved, tiny_manifest, tiny_files):
    (saved / "README.md").write_text("about the old one")
    new = save(saved, replace(tiny_manifest, max_tokens=8), tiny_files)
    assert Bundle.load(saved).manifest == new
    assert not (saved / "README.md").exists()
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


class PowerCut(BaseException):
    """Stops a save where no handler of ordinary errors sees it."""


@pytest.mark.parametrize("step", range(10))
def test_a_crash_at_any_step_leaves_the_old_bundle_or_the_new(
    saved, tiny_manifest, tiny_files, monkeypatch, step
):
    old = Bundle.load(saved).manifest
    new = replace(tiny_manifest, max_tokens=8)
    steps = iter(range(100))

    def dying(function):
        def run(*args, **kwargs):
            if next(steps) == step:
                raise PowerCut
            return function(*args, **kwargs)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", dying(os.fsync))
        patch.setattr(Path, "rename", dying(Path.rename))
        patch.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # the dead clean nothing up
        with contextlib.suppress(PowerCut):
            save(saved, new, tiny_files)
    found = Bundle.load(saved).manifest
    assert found.max_tokens in {old.max_tokens, new.max_tokens}
    save(saved, new, tiny_files)
    assert Bundle.load(saved).manifest.max_tokens == 8


def test_what_a_killed_save_has_left_goes_with_the_next_but_one_at_work_stays(
    saved, tiny_manifest, tiny_files
):
    left, at_work = (saved.with_name(f".{saved.name}.new-{end}") for end in ("left", "at_work"))
    for folder in (left, at_work):
        folder.mkdir()
        (folder / "encoder.onnx").write_bytes(b"half")
    os.utime(left, (0, 0))
    save(saved, tiny_manifest, tiny_files)
    assert not left.exists()
    assert at_work.exists()


def test_hashes_are_of_the_files(saved):
    manifest = json.loads((saved / MANIFEST).read_text())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((saved / name).read_bytes()).hexdigest() == digest
    assert bundle.ENCODER in manifest["files"]
