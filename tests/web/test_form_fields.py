"""The fields of a form are put together once for everybody; what is in them is its visitor's alone."""

from __future__ import annotations

import gc
import weakref

from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import StringField

from coalition.petition.forms import SignForm
from coalition.web.forms import Line, PublicForm


class NoteForm(PublicForm):
    note = StringField("A note", validators=[Line("The note", "Write a note")])


def note_form(note: str, prefix: str = "") -> NoteForm:
    return NoteForm(MultiDict({f"{prefix}note": note}), prefix=prefix)


def test_what_one_visitor_typed_is_in_no_other_form(app: Flask) -> None:
    first, second = note_form("mine"), note_form("")
    assert (first.note.data, second.note.data) == ("mine", "")
    assert first.validate()
    assert not second.validate()
    assert (list(first.note.errors), second.note.errors) == ([], ["Write a note"])
    assert (first.note._form, second.note._form) == (first, second)
    assert SignForm(formdata=None).name.data == ""


def test_nothing_of_the_first_visitor_is_remembered_with_the_fields(app: Flask) -> None:
    class FreshForm(PublicForm):
        note = StringField("A note")

    form = FreshForm(MultiDict({"note": "mine"}))
    assert form.note.data == "mine"
    gone = weakref.ref(form)
    del form
    gc.collect()
    assert gone() is None
    assert FreshForm(formdata=None).note.data is None


def test_choices_that_one_form_is_given_are_in_no_other(app: Flask) -> None:
    first = SignForm(formdata=None)
    first.region.choices = {"atlantis": "Atlantis"}
    assert "atlantis" not in SignForm(formdata=None).region.choices


def test_two_forms_on_a_page_keep_their_names_apart(app: Flask) -> None:
    one, other, plain = note_form("1", "one-"), note_form("2", "other-"), note_form("3")
    assert [each.note.name for each in (one, other, plain)] == ["one-note", "other-note", "note"]
    assert [each.note.data for each in (one, other, plain)] == ["1", "2", "3"]


def test_a_field_is_put_together_once(app: Flask) -> None:
    one, other = note_form("1"), note_form("2")
    assert one.note is not other.note
    assert one.note.label is other.note.label
