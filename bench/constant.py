"""The limits: a Flask view that returns as many bytes as a page has, and one that takes a form and
answers with a redirect at once."""

from __future__ import annotations

import os

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

app = Flask(__name__)
PAGE = b"x" * int(os.environ.get("BENCH_BYTES", "12000"))


@app.get("/")
def page() -> Response:
    return Response(PAGE, mimetype="text/html")


@app.post("/")
def form() -> BaseResponse:
    request.get_data()
    return redirect("/", 303)
