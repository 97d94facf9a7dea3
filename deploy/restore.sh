#!/usr/bin/env bash
# Puts what backup.sh wrote into a database that has no tables.
#
#   deploy/restore.sh FILE
#
# COALITION_DATABASE_URL says which database; PYTHON which Python (else the one of the site);
# PG_BIN where pg_restore is, if not on the PATH. FILE.sha256 must lie beside FILE. Only a whole
# backup is put in: when anything fails, the database is as it was.
set -euo pipefail
umask 077

fail() {
    printf 'restore: %s\n' "$1" >&2
    exit 1
}

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
python=${PYTHON:-$here/../.venv/bin/python}
url=${COALITION_DATABASE_URL:-}
[[ $# -eq 1 ]] || fail "say which file: restore.sh FILE"
file=$1
[[ -n $url ]] || fail "COALITION_DATABASE_URL is not set"
command -v -- "$python" >/dev/null || fail "there is no Python at $python; set PYTHON"
[[ -f $file ]] || fail "there is no file $file"
[[ -f $file.sha256 ]] || fail "there is no $file.sha256 to prove that the file is whole"
sum=$(sha256sum -- "$file")
read -r wanted _ < "$file.sha256" || fail "$file.sha256 cannot be read"
[[ ${sum#\\} == "$wanted "* ]] || fail "$file is not what was backed up: its SHA-256 differs"

case $url in
    sqlite:///*) kind=sqlite ;;
    postgres://* | postgresql://* | postgresql+psycopg://*) kind=pgdump ;;
    *) fail "COALITION_DATABASE_URL must start with sqlite:/// or postgresql://" ;;
esac
case $file in
    *."$kind") ;;
    *.sqlite | *.pgdump) fail "$file is of the other engine: restore it there, then \`coalition db copy\`" ;;
    *) fail "$file is no backup by its name: .sqlite or .pgdump" ;;
esac

if [[ $kind == sqlite ]]; then
    "$python" - "$file" "${url#sqlite:///}" <<'PYTHON' || fail "nothing was restored"
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

file, there = (Path(each).absolute() for each in sys.argv[1:])
if not there.parent.is_dir():
    sys.exit(f"there is no folder {there.parent}")
left = [each for each in ("-wal", "-journal") if Path(f"{there}{each}").exists()]
if left and not there.exists():
    sys.exit(f"{there}{left[0]} of an older database is still there: take it away first")
try:
    backup = sqlite3.connect(file.as_uri() + "?mode=ro&immutable=1", uri=True)
    with closing(backup), closing(sqlite3.connect(there, timeout=30)) as database:
        (found,) = backup.execute("PRAGMA integrity_check").fetchone()
        if found != "ok":
            sys.exit(f"the backup is damaged: {found}")
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables:
            sys.exit(f"{there} is not empty")
        backup.backup(database)
except sqlite3.Error as error:
    sys.exit(f"SQLite says: {error}")
PYTHON
else
    restore=${PG_BIN:+$PG_BIN/}pg_restore
    command -v -- "$restore" >/dev/null || fail "there is no $restore; install it, or set PG_BIN"
    # The password goes by the environment: other users can read a command line.
    { read -r -d '' address && read -r -d '' PGPASSWORD; } < <("$python" - <<'PYTHON'
import os
import sys

import psycopg
from sqlalchemy import make_url

url = make_url(os.environ["COALITION_DATABASE_URL"].replace("postgres://", "postgresql://", 1))
url = url.set(drivername="postgresql")
try:
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        (tables,) = connection.execute(
            "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
            " WHERE relkind IN ('r', 'p', 'v', 'm', 'S')"
            " AND nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'"
        ).fetchone()
except psycopg.Error as error:
    sys.exit(f"the database does not answer ({type(error).__name__})")
if tables:
    sys.exit("the database is not empty")
plain = url._replace(password=None).render_as_string(hide_password=False)
print(plain, url.password or "", sep="\0", end="\0")
PYTHON
    ) || fail "nothing was restored"
    [[ -z $PGPASSWORD ]] || export PGPASSWORD
    "$restore" --single-transaction --exit-on-error --no-owner --no-privileges --no-password \
        --dbname="$address" "$file" || fail "pg_restore failed; nothing was restored"
fi
printf 'restored %s\n' "$file"
