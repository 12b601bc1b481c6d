import pytest

from mnist_lstm.redaction import may_hold_secrets, redacted, redacted_diff
from tests.support.projects import REPOSITORY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://ada:secret@host/mnist", "https://***@host/mnist"),
        ("https://token@host", "https://***@host"),
        ("a=ftp://a:b@c/d,e=s3://f:g@h", "a=ftp://***@c/d,e=s3://***@h"),
        ("https://ada:sec@ret@host/mnist", "https://***@host/mnist"),
        ("http://u:se/cret88@host/", "http://***@host/"),
        ("http://u:p@ss/w@host:80/x", "http://***@host:80/x"),
        ("http://u:p?a#b@host", "http://***@host"),
        ("found 'http://u:it's@host/x', run again", "found 'http://***@host/x', run again"),
        ("https://host/folder@2/ada@example.org", "https://host/folder@2/ada@example.org"),
        ("http://host:5000/folder@2, http://[::1]:80/a@b", "http://host:5000/folder@2, http://[::1]:80/a@b"),
        ("f'http://127.0.0.1:{port}/a@b'", "f'http://127.0.0.1:{port}/a@b'"),
        ("file:///data/mnist", "file:///data/mnist"),
        ("write to ada@example.org", "write to ada@example.org"),
    ],
)
def test_user_and_password_are_taken_out_of_each_url_and_nothing_else(text: str, expected: str) -> None:
    assert redacted(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://h/m?token=x1&view=rows", "http://h/m?token=***&view=rows"),
        ("postgresql://h/db?user=ada&password=p%40w", "postgresql://h/db?user=***&password=***"),
        (
            "Max retries exceeded with url: /?token=x1/api/2.0 (Caused",
            "Max retries exceeded with url: /?token=*** (Caused",
        ),
        ("data.mirror=http://h/?Access_Key=a,training.seed=1", "data.mirror=http://h/?Access_Key=***,training.seed=1"),
        ("s3://b/k?X-Amz-Signature=ab&X-Amz-Date=1", "s3://b/k?X-Amz-Signature=***&X-Amz-Date=1"),
        ("http://h/#access_token=x1&state=2", "http://h/#access_token=***&state=2"),
        ("az://c?sv=2&sig=a%2Bb", "az://c?sv=2&sig=***"),
        ("mssql+pyodbc:///?odbc_connect=DRIVER%3Dx%3BPWD%3Dp", "mssql+pyodbc:///?odbc_connect=***"),
        ("odbc:DRIVER={ODBC Driver 17};UID=ada;PWD=p w;", "odbc:DRIVER={ODBC Driver 17};UID=***;PWD=***;"),
        ("http://h/?page=2&monkeys=3", "http://h/?page=2&monkeys=***"),  # rather too much than too little
        ("answer = tokens[1] and key=2", "answer = tokens[1] and key=2"),
    ],
)
def test_secrets_are_taken_out_of_queries_by_their_key(text: str, expected: str) -> None:
    assert redacted(text) == expected
    assert redacted(expected) == expected


def test_a_diff_keeps_no_value_of_a_secret_in_a_file_of_settings_and_programs_as_they_are() -> None:
    lines = ["+password: hunter2", '-  "db_token": "a b"', "+aws_secret_access_key = AB", "+api_key: ${oc.env:KEY}"]
    rest = ["+tokens: 5", "+secret:", "+keys: [1]"]
    settings, program = "diff --git a/conf/x.yml b/conf/x.yml\n", "diff --git a/a.py b/a.py\n+token = first\n"
    found = redacted_diff(settings + "\n".join([*lines, *rest]) + "\n" + program)
    hidden = ["+password: ***", '-  "db_token": ***', "+aws_secret_access_key = ***", lines[3]]
    assert found == settings + "\n".join([*hidden, *rest]) + "\n" + program


@pytest.mark.parametrize(
    "path",
    [
        *("conf/prod/credentials/db.yml", "conf/prod/secrets.yml", "conf/base/my_creds.yml", "src/.env"),
        *("conf/base/credentials.yml", "conf/base/credentials_db.yml", "conf/Credentials/x", "src/.environment/x"),
        *("src/server.pem", "conf/base/api_key.yml", "src/prod.env", "conf/tokens.yml", "conf/hf_token", ".netrc"),
        *("src/.git-credentials", "conf/base/aws_credentials.yml", "conf/base/service-account.json", "src/.env.prod"),
        *("conf/base/gcp-key.json", "src/.aws/config", "src/.kaggle/kaggle.json", "conf/access-token"),
        "conf/base/db_passphrase.txt",
    ],
)
def test_a_file_that_may_hold_secrets_is_known_by_its_path(path: str) -> None:
    assert may_hold_secrets(path)


def test_no_file_of_this_project_is_taken_for_a_secret() -> None:
    files = [path for name in ("src", "conf/base", "tests") for path in (REPOSITORY / name).rglob("*.*")]
    assert len(files) > 100
    assert [path for path in files if may_hold_secrets(path.relative_to(REPOSITORY).as_posix())] == []
