"""A folder with a tiny bundle and a record, as an operator's commands find them."""

import asyncio

from storage.database import Database
from tests import tiny_bundle


def lay_out(folder, monkeypatch):
    """Save the bundle, and let the process's environment name it and the record."""
    tiny_bundle.save(folder / "models" / "default")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AUTOTICKET_MODEL_DIR", str(folder / "models" / "default"))
    monkeypatch.setenv("AUTOTICKET_DATABASE_URL", f"sqlite:///{folder / 'record.db'}")


def in_record(folder, work):
    """What `work` makes of a connection that may write, as another process would."""

    async def run():
        database = await Database.open(f"sqlite:///{folder / 'record.db'}")
        try:
            async with database.write() as conn:
                return await work(conn)
        finally:
            await database.close()

    return asyncio.run(run())
