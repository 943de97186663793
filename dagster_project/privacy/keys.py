"""The secret key behind tokens: where it comes from, and that it is the one used before.

Belongs here: reading, making and checking the key. Does not: hashing (tokens.py). No message ever holds the key.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from dagster_project.settings import Settings

KEY_VARIABLE = "CLAIMHOUSE_TOKEN_KEY"
VERSION_VARIABLE = "CLAIMHOUSE_TOKEN_KEY_VERSION"
MINIMUM_LENGTH = 32
_FINGERPRINT_OF = b"claimhouse token key fingerprint"


class KeyProblem(RuntimeError):
    """The key is missing, open to others, too short, or not the one used before; the message says what to do."""


@dataclass(frozen=True)
class TokenKey:
    """A secret and its version. The secret is not part of its repr, nor of its comparison."""

    version: str
    secret: bytes = field(repr=False, compare=False)

    def fingerprint(self) -> str:
        """Tells whether two keys are the same without telling the key."""
        return hmac.new(self.secret, _FINGERPRINT_OF, sha256).hexdigest()

    def __reduce__(self) -> str:
        raise TypeError("a token key is not pickled: it would be written somewhere")


def key_path(settings: Settings) -> Path:
    return settings.protected / "token.key"


def load_key(settings: Settings, environ: Mapping[str, str] | None = None) -> TokenKey:
    """The key from the environment, else from protected/token.key, which is made on the first run.

    Raises KeyProblem, also when the lake holds tokens of another key: they would never match the new ones.
    """
    environ = os.environ if environ is None else environ
    given = environ.get(KEY_VARIABLE)
    path = key_path(settings)
    if given is not None:
        key = _key(environ.get(VERSION_VARIABLE, "1"), given.strip(), KEY_VARIABLE)
    elif path.exists():
        key = _from_file(path)
    elif _has_loads(settings):
        raise KeyProblem(
            f"{path} is missing, and the lake holds tokens made with it. Put it back, or set {KEY_VARIABLE}. "
            "If it is lost, move lake/ aside and read the landing folder again: docs/tokens.md"
        )
    else:
        key = _make(path)
    _check_used_before(settings, key)
    return key


def _key(version: str, text: str, where: str) -> TokenKey:
    if not re.fullmatch(r"[0-9a-z]{1,8}", version):
        raise KeyProblem(f"the key's version ({VERSION_VARIABLE}) is up to eight digits or lower-case letters")
    if len(text) < MINIMUM_LENGTH:
        raise KeyProblem(
            f"{where} is too short: use at least {MINIMUM_LENGTH} random characters, such as from "
            "`python -c 'import secrets; print(secrets.token_hex(32))'`"
        )
    return TokenKey(version, text.encode())


def _from_file(path: Path) -> TokenKey:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise KeyProblem(f"{path} can be read by others (mode {mode:04o}). Run: chmod 600 {path}")
    try:
        version, separator, text = path.read_text(encoding="utf-8").strip().partition(":")
    except UnicodeDecodeError:
        version, separator, text = "", "", ""
    except OSError as error:
        raise KeyProblem(f"{path} cannot be read: {error.strerror}. It must belong to whoever runs this") from None
    if not separator:
        raise KeyProblem(f"{path} is not a key file (version:key); put the right one back")
    return _key(version, text, str(path))


def _make(path: Path) -> TokenKey:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return _from_file(path)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"1:{secrets.token_hex(32)}\n")
    return _from_file(path)


def _has_loads(settings: Settings) -> bool:
    loads = settings.lake / "loads"
    return loads.is_dir() and any(path.name != "_schema.parquet" for path in loads.glob("*.parquet"))


def _check_used_before(settings: Settings, key: TokenKey) -> None:
    record = settings.lake / "token_key.json"
    now = {"key_version": key.version, "fingerprint": key.fingerprint()}
    if record.exists() and _has_loads(settings):
        before = json.loads(record.read_text(encoding="utf-8"))
        if before != now:
            raise KeyProblem(
                f"the lake holds tokens of key version {before['key_version']}, and this is "
                f"{'another key' if before['key_version'] == key.version else 'version ' + key.version}. "
                "Use the old key, or move lake/ aside and read the landing folder again: docs/tokens.md"
            )
        return
    if not record.exists() or json.loads(record.read_text(encoding="utf-8")) != now:
        record.parent.mkdir(parents=True, exist_ok=True)
        unfinished = record.with_name(f".{record.name}.{os.getpid()}")
        unfinished.write_text(json.dumps(now), encoding="utf-8")
        unfinished.replace(record)
