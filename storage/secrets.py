"""Secrets that all replicas share: made once by whoever comes first, never changed."""

from __future__ import annotations

import secrets as random
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.schema import secrets
from storage.statements import insert_if_new

_BYTES = 32


async def get_or_make(conn: AsyncConnection, name: str, now: datetime) -> bytes:
    """The secret of that name, 32 random bytes; the same in every replica for ever.

    Args:
        conn: A write transaction.
        name: What it is for.
        now: The present (UTC).
    """
    fresh = {"name": name, "value": random.token_hex(_BYTES), "created_at": now}
    await insert_if_new(conn, secrets, [fresh], secrets.c.name)
    kept = await conn.execute(sa.select(secrets.c.value).where(secrets.c.name == name))
    return bytes.fromhex(kept.scalar_one())
