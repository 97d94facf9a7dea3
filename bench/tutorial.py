"""A petition as tutorials write it: the ORM, smtplib in the request, COUNT(*) on the page.

For comparison alone. It lacks nearly everything that the site does: limits, encryption, one
signature for a mailbox, the same answer for everybody.
"""

from __future__ import annotations

import os
import smtplib
import uuid
from email.message import EmailMessage

from flask import Flask, redirect, render_template_string, request
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["BENCH_DATABASE"].replace(
    "postgresql://", "postgresql+psycopg://"
)
app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_size": 5}
db = SQLAlchemy(app)
PAGE = """<!doctype html><title>Petition</title><h1>Petition</h1>
<p>{{ count }} people have signed.</p><p>{{ text }}</p>
<form method="post" action="/sign"><input name="name"><input name="email"><button>Sign</button></form>"""


class Signature(db.Model):  # type: ignore[name-defined,misc]
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(200), nullable=False)
    email = db.Column(db.String(200), nullable=False, unique=True)
    token = db.Column(db.String(40), nullable=False, unique=True)
    verified = db.Column(db.Boolean, nullable=False, default=False)


def main() -> None:
    """Make its tables; two processes that both do so would meet."""
    with app.app_context():
        db.create_all()


@app.get("/")
def page() -> str:
    count = Signature.query.filter_by(verified=True).count()
    return render_template_string(PAGE, count=count, text="x" * 8_000)


@app.post("/sign")
def sign() -> object:
    signature = Signature(
        name=request.form["name"], email=request.form["email"], token=uuid.uuid4().hex
    )
    db.session.add(signature)
    db.session.commit()
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "p@example.org", signature.email, "Confirm"
    mail.set_content(f"Confirm: http://127.0.0.1/confirm/{signature.token}")
    with smtplib.SMTP("127.0.0.1", int(os.environ["BENCH_SMTP_PORT"])) as smtp:
        smtp.send_message(mail)
    return redirect("/", 303)


@app.post("/confirm/<token>")
def confirm(token: str) -> object:
    signature = Signature.query.filter_by(token=token).first_or_404()
    signature.verified = True
    db.session.commit()
    return redirect("/", 303)


if __name__ == "__main__":
    main()
