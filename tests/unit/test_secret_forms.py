"""A secret is masked whatever it is called, whatever characters it has and wherever it stands; prose is not."""

import json

import pytest

from study.passwords import mask_passwords, remember
from tests.canaries import shows_canary

ODD = [*"\"'<>/?#,;&=+%$@:!()[]{}|\\*~^`.-_é", "''", '""']
NAMES = [
    *("password", "passwd", "pwd", "PGPASSWORD", "sslpassword", "db_password", "passphrase", "pass", "DB_PASS", "auth"),
    *("token", "access_token", "refresh-token", "secret", "client_secret", "credentials", "jwt", "sig", "signature"),
    *(
        "api_key",
        "api-key",
        "apikey",
        "access_key",
        "accessKey",
        "secret_access_key",
        "AWS_SECRET_ACCESS_KEY",
        "sslkey",
    ),
    *("AccountKey", "SharedAccessKey", "private_key", "X-Amz-Signature", "SharedAccessSignature"),
]
SETTINGS = [
    *(
        "{name}={secret}",
        "http://h/x?{name}={secret}",
        "http://h/x?a=1&{name}={secret}&b=2",
        "http://h/;{name}={secret}",
    ),
    *(
        "host=db {name}={secret} user=me",
        "f({name}={secret}, user='me')",
        "export {name}={secret}; x",
        "{name}%3D{secret}",
    ),
]
CREDENTIALS = ["postgresql://u:{}@", "s3://KEY:{}@", "http://u:{}@", "//u:{}@", "postgresql:///u:{}@", "u:{}@"]
AROUND = ["{}127.0.0.1:1/db", "at '{}h/db'", "(see {}h)", "<{}b>", '{{"u":"{}b"}}']


@pytest.mark.parametrize("odd", ODD)
def test_a_secret_of_any_characters_is_masked_in_every_setting(odd: str) -> None:
    secret = f"CANA{odd}RYX1"
    texts = [form.format(name=name, secret=secret) for name in NAMES for form in SETTINGS]
    for name in NAMES:
        written = json.dumps({name: secret})
        texts += [written, json.dumps(written), repr({name: secret}), repr({name: secret.encode()})]
        texts += [f"{name}={secret!r}", f"{name} = {json.dumps(secret)}"]
    masked = {text: mask_passwords(text) for text in texts}
    assert {text: shown for text, shown in masked.items() if shows_canary(shown)} == {}
    assert {text: shown for text, shown in masked.items() if mask_passwords(shown) != shown} == {}, "masked once more"


@pytest.mark.parametrize("odd", [*ODD, "1234/"])
def test_a_secret_of_any_characters_is_masked_in_every_address(odd: str) -> None:
    secret = f"CANA{odd}RYX1" if odd != "1234/" else "1234/CANARYX1"
    texts = [around.format(address.format(secret)) for address in CREDENTIALS for around in AROUND]
    masked = {text: mask_passwords(text) for text in texts}
    assert {text: shown for text, shown in masked.items() if shows_canary(shown)} == {}
    assert {text: shown for text, shown in masked.items() if mask_passwords(shown) != shown} == {}


@pytest.mark.parametrize(
    ("address", "odd"),
    [
        *((address, odd) for address in CREDENTIALS for odd in (*ODD, " ", "\t", "\x1b")),
        *(("http://h/?password={}", odd) for odd in (*ODD, " ", "\t", "\x1b") if odd not in "&;#"),  # they end it
    ],
)
def test_a_secret_that_was_given_is_known_in_every_spelling(address: str, odd: str) -> None:
    """The forms know nothing of it: it stands alone, as in a library's error."""
    secret = f"CANA{odd}RYX1"
    remember(address.format(secret) + "h/db" * ("@" in address))
    spellings = [secret, repr(secret), json.dumps(secret), f"cannot resolve {secret}!"]
    assert [text for text in map(mask_passwords, spellings) if shows_canary(text)] == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: CANARYX1", "password: ***"),
        ("password: sesame\nuser: me", "password: ***\nuser: me"),
        ("ALTER ROLE me PASSWORD 'a b'", "ALTER ROLE me PASSWORD ***"),
        ("{'token': b'X'}", "{'token': b'***'}"),
        ("Authorization: Token CANARYX1", "Authorization: Token ***"),
        ('Authorization: Digest username="x", response="CANARYX1"', "Authorization: Digest ***"),
        ("{'Authorization': 'Token X', 'Accept': '*/*'}", "{'Authorization': '***', 'Accept': '*/*'}"),
        ("X-Api-Key: X", "X-Api-Key: ***"),
        ("Cookie: ockham_1=X; other=Y", "Cookie: ***"),
        ("{'Set-Cookie': 'ockham_1=X'}", "{'Set-Cookie': '***'}"),
        ("x?next=http%3A%2F%2Fu%3AX%40h", "x?next=http%3A%2F%2Fu%3A***%40h"),
        ("auth=('u', 'X')", "auth=***"),
        ("token=A,user=b", "token=***,user=b"),
        ("http://h/?pass=X: no answer", "http://h/?pass=***: no answer"),
        ('{"dsn":"host=db password=X","n":1}', '{"dsn":"host=db password=***","n":1}'),
        ("password='CANA''RYX1' user=me", "password=*** user=me"),
    ],
)
def test_secrets_of_other_forms(text: str, shown: str) -> None:
    assert mask_passwords(text) == shown
    assert mask_passwords(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "token: mended",
        "token: 512",
        "password: try again",
        'password authentication failed for user "me"',
        "fe_sendauth: no password supplied",
        "def connect(password: str, token: str | None = ...)",
        "authorization: required",
        "--set data.name=mnist --set training.epochs=2",
        "forward_pass=3 compass=2 author=me primary_key=True tokens=9 per_token_loss=0.3 config=x",
        "AWS_ACCESS_KEY_ID=AKIA1",
        "test/accuracy=0.913 control/test/gap=-0.2",
        "Jane Doe <jane.doe1@example.org>",
        "mailto:me2@example.org or mail:me2@example.org",
        "sqlite:////home/u:a1@b/study.db",
        "file:///home/u:a1@b/study.db",
        "/mnt/a:b1@c",
        "git@github.com:a/b",
        "nvidia/cuda:12.1@sha256:ab",
        "python:3.11-slim@sha256:ab",
        "http://127.0.0.1:5000/#/experiments?filter=me@x",
        "http://h:80 me@x",
        '{"uri":"http://host:5000","mail":"me@x.org"}',
        "<a href='http://h:80'>me@x.org</a>",
        "password=$PGPASSWORD",
        "export MLFLOW_TRACKING_TOKEN=$(cat 'a (b)/mlflow.token'), then go on",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert mask_passwords(text) == text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s/e?s@db:5432/ockham", "postgresql://me:***@db:5432/ockham"),
        ("postgresql://db/ockham?user=me&password=sesame&sslmode=on", "postgresql://db/ockham?user=me&password=***&sslmode=on"),
        ("postgresql+psycopg://me@db/ockham", "postgresql+psycopg://me@db/ockham"),
        ("sqlite:////home/me/study.db", "sqlite:////home/me/study.db"),
        ("http://host:5000", "http://host:5000"),
        ("/mnt/a:b@c", "/mnt/a:b@c"),
        ("http://me:p@w@host:1/x", "http://me:***@host:1/x"),
        ("http://TOKEN@host/x", "http://***@host/x"),
        ("https://TOKEN:x-oauth-basic@host", "https://***:@host"),
        ("ftp://K:SECRET@b: no such scheme", "ftp://K:***@b: no such scheme"),
        ("s3://K:a/b+c@bucket/x", "s3://K:***@bucket/x"),
        ("x?token=A&api_key=B&session_token=C", "x?token=***&api_key=***&session_token=***"),
        ("host=db sslpassword=A PASSWORD='a b' user=me", "host=db sslpassword=*** PASSWORD=*** user=me"),
        ('{"password": "A", \'api-key\': \'B\'}', '{"password": "***", \'api-key\': \'***\'}'),
        ("Authorization: Bearer A.b-c", "Authorization: Bearer ***"),
        ("password authentication failed for user me", "password authentication failed for user me"),
        ("a token of 3 at http://h/a@b and me@you", "a token of 3 at http://h/a@b and me@you"),
    ],
)  # fmt: skip
def test_only_the_password_goes(url: str, shown: str) -> None:
    assert mask_passwords(url) == shown


def test_pieces_of_a_secret_are_known_again() -> None:
    """A library takes an address apart, and says so."""
    remember("http://me:open%40sesame@host")
    assert mask_passwords("cannot resolve sesame@host, tried open@sesame and open%40sesame") == (
        "cannot resolve ***@host, tried *** and ***"
    )
