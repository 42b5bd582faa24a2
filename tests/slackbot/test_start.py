"""A start loads nothing that it does not need: this is most of what it costs."""

import json

from tests.storage.examples import run_python

SELDOM_NEEDED = {
    "alembic": "migrations, when there are any",
    "cryptography": "several workspaces",
    "fastapi": "the web API",
    "matplotlib": "pictures",
    "sklearn": "training",
    "slackbot.oauth": "several workspaces",
    "torch": "training",
}


async def test_what_is_seldom_needed_is_not_loaded_at_the_start():
    process = await run_python(
        "import json, sys\n"
        "import slackbot.cli, slackbot.run\n"
        "from core.classifier import Classifier\n"
        "Classifier.load('models/default').warm_up()\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )
    out, err = await process.communicate()
    assert not err
    assert SELDOM_NEEDED.keys() & set(json.loads(out)) == set()
