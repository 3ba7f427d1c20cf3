"""The client that receivers take from npm, run by Node: it verifies what our post sends and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from app.db import db, transaction
from app.duty import post
from app.journal import SYSTEM
from app.notices.keys import end_key, make_secret, webhook_secrets
from app.now import now
from tests.build import a_case
from tests.cast import Cast
from tests.conftest import Clock
from tests.notices.post_room import reached, some_notices
from tests.notices.receiver import Receiver, Request, a_receiver
from tests.notices.test_keys import id_of

HERE = Path(__file__).parent
LATE, EARLY = timedelta(minutes=5, seconds=1), -timedelta(minutes=5, seconds=1)


def verdicts(asked: Sequence[tuple[str, Request, datetime]]) -> list[dict[str, Any]]:
    """What the client says of each delivery, verified with a secret at an hour: the payload, or why it is refused."""
    node, _cli = compute_driver_executable()
    lines = [
        json.dumps(
            {
                "secret": secret,
                "body": came.body.decode(),
                "headers": dict(came.headers),
                "at": int(at.timestamp() * 1000),
            }
        )
        for secret, came, at in asked
    ]
    done = subprocess.run(
        [node, str(HERE / "verify.js")], input="\n".join(lines), env=os.environ | {"NODE_PATH": str(HERE)}, text=True,
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def verifies(secret: str, came: Request, at: datetime) -> bool:
    [said] = verdicts([(secret, came, at)])
    return "payload" in said


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A department's own server, which takes everything."""
    with a_receiver() as receiver:
        yield receiver


def rotated(office: int, until: datetime) -> str:
    """A new secret; the one before ends at a moment."""
    with transaction():
        return make_secret(office, until=until, doer=SYSTEM, at=now())


def test_what_the_post_sends_is_verified_and_read_to_the_letter(cast: Cast, receiver: Receiver) -> None:
    """A decision of a real case, with its Chinese, as every linked department gets it."""
    office = reached(cast, "ld-market", "webhook", receiver.url())
    a_case(cast, at="processing")
    assert post.turn().delivered == 1
    [came], [secret] = receiver.taken, webhook_secrets(office, now())
    db.session.rollback()
    [said] = verdicts([(secret, came, now())])
    assert said["payload"] == json.loads(came.body)
    assert said["payload"]["subject_name"] == "湖南岳衡物流有限公司" and said["payload"]["decision"] == "准予修复"


def test_before_during_and_after_a_rotation_the_right_secrets_verify_and_no_other(
    cast: Cast, clock: Clock, receiver: Receiver
) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [old] = webhook_secrets(office, now())
    some_notices(cast, "ld-market", 1)
    post.turn()
    clock.go("2026-12-01")
    new = rotated(office, now() + timedelta(days=7))
    some_notices(cast, "ld-market", 1)
    post.turn()
    sent = [clock.go("2026-11-24"), clock.go("2026-12-01"), clock.go("2026-12-08 10:00")]
    some_notices(cast, "ld-market", 1)
    post.turn()
    before, during, after = receiver.taken
    assert len(during.headers["webhook-signature"].split()) == 2
    asked = [
        (secret, came, at) for came, at in zip((before, during, after), sent, strict=True) for secret in (old, new)
    ]
    assert ["payload" in said for said in verdicts(asked)] == [True, False, True, True, False, True]


def test_a_secret_that_was_ended_at_once_verifies_nothing_that_is_sent_afterwards(
    cast: Cast, receiver: Receiver
) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    [leaked] = webhook_secrets(office, now())
    key_id = id_of(office, "w1")
    fresh = rotated(office, now() + timedelta(days=7))
    with transaction():
        end_key(office, key_id, until=now(), doer=SYSTEM, at=now())
    some_notices(cast, "ld-market", 1)
    post.turn()
    [came] = receiver.taken
    assert verifies(fresh, came, now()) and not verifies(leaked, came, now())


def test_it_refuses_what_is_forged_changed_late_or_early(cast: Cast, receiver: Receiver) -> None:
    office = reached(cast, "ld-market", "webhook", receiver.url())
    some_notices(cast, "ld-market", 1)
    post.turn()
    [came], [secret] = receiver.taken, webhook_secrets(office, now())
    db.session.rollback()
    stranger = "whsec_" + b64encode(b"x" * 32).decode()
    other = came.headers | {"webhook-id": "case-9-9-ld-market"}
    later = came.headers | {"webhook-timestamp": str(int(came.headers["webhook-timestamp"]) + 60)}
    for said, (what, words) in zip(
        verdicts(
            [
                (secret, came, now()),
                (secret, came, now() + LATE - timedelta(seconds=2)),
                (stranger, came, now()),
                (secret, came._replace(body=came.body.replace(b"confirm", b"refuse")), now()),
                (secret, came._replace(body=came.body + b" "), now()),
                (secret, came._replace(headers=other), now()),
                (secret, came._replace(headers=later), now()),
                (secret, came, now() + LATE),
                (secret, came, now() + EARLY),
                (secret, came._replace(headers={}), now()),
            ]
        ),
        [
            ("as it came", ""),
            ("nearly five minutes later", ""),
            ("forged", "No matching signature"),
            ("changed", "No matching signature"),
            ("a blank more", "No matching signature"),
            ("under another key", "No matching signature"),
            ("with another hour", "No matching signature"),
            ("played again later", "too old"),
            ("from the future", "too new"),
            ("unsigned", "Missing required headers"),
        ],
        strict=True,
    ):
        assert words in said.get("refused", ""), what
        assert ("payload" in said) == (words == ""), what
