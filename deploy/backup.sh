#!/usr/bin/env bash
# Writes the site's database into one file, while the site goes on, with its SHA-256 beside it.
#
#   deploy/backup.sh [FOLDER]      (else the folder "backups"; it is made if it is not there)
#
# COALITION_DATABASE_URL says which database; PYTHON which Python (else the one of the site);
# PG_BIN where pg_dump is, if not on the PATH (as new as the server, or newer). Prints the file's
# name. The secrets are not in it: COALITION_SECRET_KEYS must be kept elsewhere, and well.
set -euo pipefail
umask 077

fail() {
    printf 'backup: %s\n' "$1" >&2
    exit 1
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python}
folder=${1:-backups}
url=${COALITION_DATABASE_URL:-}
[[ -n $url ]] || fail "COALITION_DATABASE_URL is not set"
command -v -- "$python" >/dev/null || fail "there is no Python at $python; set PYTHON"
mkdir -p -- "$folder" || fail "the folder $folder cannot be made"

case $url in
    sqlite:///*) kind=sqlite ;;
    postgres://* | postgresql://* | postgresql+psycopg://*) kind=pgdump ;;
    *) fail "COALITION_DATABASE_URL must start with sqlite:/// or postgresql://" ;;
esac
name=coalition-$(date -u +%Y%m%dT%H%M%SZ).$kind
[[ ! -e $folder/$name ]] || fail "$folder/$name is there already; nothing was written"
part=$(mktemp -- "$folder/.$name.XXXXXX")
trap 'rm -f -- "$part" "$part-journal" "$part-wal" "$part-shm"' EXIT

if [[ $kind == sqlite ]]; then
    # SQLite's own online backup: one moment, however much is written meanwhile.
    "$python" - "${url#sqlite:///}" "$part" <<'PYTHON' || fail "the backup failed; nothing was written"
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

there, here = sys.argv[1:]
if not Path(there).is_file():
    sys.exit(f"there is no database at {there}")
try:
    source = sqlite3.connect(Path(there).absolute().as_uri() + "?mode=ro", uri=True, timeout=30)
    with closing(source), closing(sqlite3.connect(here)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            sys.exit(f"the database is damaged: {found}")
except sqlite3.Error as error:
    sys.exit(f"SQLite says: {error}")
PYTHON
else
    dump=${PG_BIN:+$PG_BIN/}pg_dump
    command -v -- "$dump" >/dev/null || fail "there is no $dump; install it, or set PG_BIN"
    # The password goes by the environment: other users can read a command line.
    { read -r -d '' address && read -r -d '' PGPASSWORD; } < <("$python" - <<'PYTHON'
import os

from sqlalchemy import make_url

url = make_url(os.environ["COALITION_DATABASE_URL"].replace("postgres://", "postgresql://", 1))
plain = url.set(drivername="postgresql")._replace(password=None)
print(plain.render_as_string(hide_password=False), url.password or "", sep="\0", end="\0")
PYTHON
    ) || fail "COALITION_DATABASE_URL cannot be read"
    [[ -z $PGPASSWORD ]] || export PGPASSWORD
    "$dump" --format=custom --no-owner --no-privileges --no-password --dbname="$address" \
        --file="$part" || fail "pg_dump failed; nothing was written"
fi

sum=$(sha256sum -- "$part")
printf '%s  %s\n' "${sum%% *}" "$name" > "$folder/$name.sha256"
sync -- "$part" "$folder/$name.sha256"
mv -- "$part" "$folder/$name"
printf '%s\n' "$folder/$name"
