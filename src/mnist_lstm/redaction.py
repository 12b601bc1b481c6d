"""What must not leave this machine: passwords in text, and files that may hold secrets."""

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# Names of folders and files that may hold secrets: Kedro's patterns for credentials, and what is usual elsewhere
SECRET_NAMES = (
    *("*credentials*", "*secret*", "*creds*", ".env*", "*.env", "*password*", "*passwd*", "*api_key*", "*apikey*"),
    *("*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.kdbx", "id_rsa*", "id_ed25519*", "id_ecdsa*", "*[_-]token*"),
    *("token*.y*ml", "token*.json", "token*.txt", ".netrc", ".pgpass", ".pypirc", ".npmrc", "*service[_-]account*"),
    *("*passphrase*", "*[_-]key.json", "kaggle.json", "kubeconfig*", ".dockercfg", ".databrickscfg", ".my.cnf"),
    *(".aws", ".ssh", ".docker", ".kube", ".azure", ".gnupg"),
)
_URL = re.compile(r"://((?:(?!,[\w.]+=|\w+://)[^\s\"<>`])*)")  # what follows the scheme
_PORT = re.compile(r"(?:\d*|[{$<%*].*)[').,;\]]*")  # of a host, or its placeholder in a program
_KEY = r"[\w.-]*(?:token|passw|pwd|secret|key|sig|auth|cred|sas)[\w.-]*|odbc_connect|pass|user|username|uid"
# A value ends where the next one begins, also that of --params: "data.mirror=URL?token=x,training.seed=1"
_QUERY = re.compile(rf"([?&#](?:amp;)?(?:{_KEY})=)[^&\s\"<>`]+?(?=,[\w.]+=|[&\s\"<>`]|'?$|',)", re.IGNORECASE)
_ODBC = re.compile(r"((?:;|%3B)\s*(?:pwd|password|uid|user id)\s*(?:=|%3D))[^;\"&\n]+", re.IGNORECASE)

# A line of a diff that gives a secret by its name; a reference to the environment, ${...}, is none
_VALUE = re.compile(
    r"^([-+ ][ \t]*(?:export |- )?[\"']?(?:[\w.-]*[_.-])?(?:password|passwd|passphrase|pwd|secret|token|(?:api|access|"
    r"secret|private)_?key)[\"']?[ \t]*[:=][ \t]*)(?!\$\{|null\b|~|\*\*\*)\S.*$",
    re.IGNORECASE | re.MULTILINE,
)
_SETTINGS = re.compile(r"diff --git .*\.(?:ya?ml|json|toml|ini|cfg|conf|properties)\"?$", re.MULTILINE)


def redacted(text: str) -> str:
    """The text without the user and password of each URL, and without the secrets of its query."""
    return _ODBC.sub(r"\1***", _QUERY.sub(r"\1***", _URL.sub(_without_user, text)))


def _without_user(url: re.Match[str]) -> str:
    """The URL without what precedes its host: all up to the last @, as a password may hold an unescaped @ or slash.

    A URL whose host has a port, or none, and no user before it has its @ in its path, which stays.
    """
    rest = url[1]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    _, _, port = re.sub(r"^\[[^]]*\]", "", authority).partition(":")
    has_user = "@" in authority or ("@" in rest and not _PORT.fullmatch(port))
    return f"://***@{rest.rpartition('@')[2]}" if has_user else url[0]


def redacted_diff(diff: str) -> str:
    """A diff of git, redacted, also where a file of settings gives a password, token or key by its name.

    Programs keep such lines, as there the value is a name or a type.
    """
    parts = re.split(r"^(?=diff --git )", diff, flags=re.MULTILINE)
    return "".join(redacted(_VALUE.sub(r"\1***", part) if _SETTINGS.match(part) else part) for part in parts)


def may_hold_secrets(path: str) -> bool:
    """Whether a part of a relative path is named like a folder or file that holds secrets."""
    parts = PurePosixPath(path.lower()).parts
    return any(fnmatchcase(part, pattern) for part in parts for pattern in SECRET_NAMES)
