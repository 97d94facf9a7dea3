"""Every state of the desk that a moderator can meet; see states.py."""

from __future__ import annotations

from coalition.accounts.models import Role
from coalition.endorsements.models import EndorsementStatus as Org
from coalition.petition.hand_in_models import HandInState
from tests.browser import desk, desk_mail, ways
from tests.browser.state import State, wrong
from tests.browser.ways import LONG_WORDS

REASONS = "Say why, in kind words"

DESK_STATES = [
    # Before anybody is signed in
    State("desk door: sign in", ways.open_page("/desk/sign-in"), "After that you give the second"),
    State("desk door: wrong", desk.sign_in_wrongly, "do not belong together", 422),
    State("desk door: code", desk.give_password_alone, "The phone is gone?"),
    State(
        "desk door: wrong code", desk.give_code("000000"), "not the code that the app shows", 422
    ),
    State("desk door: recovery code", desk.give_recovery_code, "none of your recovery codes", 422),
    State("desk door: passkey", ways.open_page("/desk/sign-in/passkey"), "Sign in with a password"),
    State("desk door: forgotten", ways.open_page("/desk/forgotten"), "A new password"),
    wrong("desk door: forgotten wrongly", desk.forget_password("mo@"), "in the form name@"),
    State("desk door: link", desk.forget_password("mo@desk.example.org"), "is on its way to it"),
    State("desk door: invited", desk.follow_invitation, "Four words that you tell nobody"),
    wrong("desk door: short password", desk.choose_password("short"), "12 characters or more"),
    State("desk door: password set", desk.choose_password(desk.PASSWORD), "Your password is set"),
    State("desk door: used", ways.open_page("/desk/password/x"), "This link is used up", 410),
    State("desk door: app", desk.set_up_an_app, "a code of six digits"),
    State(
        "desk door: key",
        ways.then(desk.set_up_an_app, "Show me the key for the app"),
        "Type the six digits",
    ),
    # Signed in
    State("desk", desk.at_desk("/desk"), "What waits"),
    State("desk: editor", desk.at_desk("/desk", Role.EDITOR), "Stop whenever you want"),
    State("desk: code given", desk.give_code(""), "Stop whenever you want"),
    State("desk you", desk.at_desk("/desk/you"), "Where you are signed in"),
    State("desk passkeys", desk.at_desk("/desk/passkeys"), "A passkey is kept by"),
    State("desk app", desk.at_desk("/desk/second-factor"), "A password can be stolen"),
    State("desk recovery codes", desk.at_desk("/desk/recovery-codes"), "Make new codes"),
    State(
        "desk recovery codes: made",
        ways.then(desk.at_desk("/desk/recovery-codes"), "Make new codes"),
        "Write them down",
    ),
    State("desk verify", desk.at_desk("/desk/verify"), "Is it still you?"),
    State("desk organisations", desk.at_desk("/desk/organisations"), "Organisations that wait"),
    State("desk organisation", desk.see_organisation, "You have not taken it"),
    State("desk organisation: taken", desk.take_organisation, "Yours until"),
    State("desk organisation: another's", desk.see_what_another_has, "is looking at it"),
    wrong("desk organisation: no words", desk.decide_with("Ask for more"), REASONS),
    State(
        "desk organisation: asked", desk.decide_with("Ask for more", LONG_WORDS), "The mail to its"
    ),
    State(
        "desk organisation: declined",
        ways.then(desk.decide_with("Decline", LONG_WORDS, "duplicate"), "Yes, do it"),
        "A mail tells its contact why",
    ),
    State("desk organisations: published", desk.see_published, "in the name"),
    State("desk organisation: published", desk.take_published(Org.PUBLISHED), "What is public"),
    State("desk organisation: removed", desk.take_published(Org.REMOVED), "Publish it again"),
    State("desk organisation: off the list", desk.take_off_the_list, "You take it off the list"),
    State("desk organisation: own", desk.judge_my_own, "judged your own organisation", 403),
    State("desk hand-in", desk.at_desk("/desk/hand-in"), "Make the list"),
    State("desk hand-in: press", desk.at_desk("/desk/hand-in", Role.PRESS), "agreed to be named"),
    State("desk hand-in: waits", desk.see_list(HandInState.WAITING), "It waits for its turn"),
    State(
        "desk hand-in: running",
        desk.see_list(HandInState.RUNNING, total=123_456, done_count=45_000),
        "45,000 of 123,456 names",
    ),
    State(
        "desk hand-in: done",
        desk.see_list(HandInState.DONE, total=123_456, spelled_count=1_234),
        "Download petition.pdf",
    ),
    State(
        "desk hand-in: another's", desk.see_list(HandInState.DONE, other=True), "Only whoever asked"
    ),
    State("desk hand-in: failed", desk.see_list(HandInState.FAILED), "It could not be made"),
    State(
        "desk hand-in: gone",
        desk.at_desk("/desk/hand-in/00000000-0000-4000-8000-000000000000"),
        "There is no such file",
        404,
    ),
    wrong("desk hand-in: version", desk.ask_for_no_version, "Choose one of the versions"),
    State("desk people", desk.at_desk("/desk/people"), "Invite somebody"),
    wrong("desk people: nobody", desk.invite_nobody, "Enter their name"),
    State("desk person", desk.see_person, "Their second proof is lost"),
    State("desk person: asked", desk.see_asked_reset, "Speak to the person yourself"),
    wrong("desk person: no role", desk.give_no_role, "Tick at least one role"),
    State("desk person: own roles", desk.see_own_roles, "Nobody changes their own roles"),
    State("desk person: last", desk.remove_the_last_administrator, "the last administrator", 409),
    State("desk mail", desk_mail.see_mail, "What came back"),
    State("desk mail: moderator", desk.at_desk("/desk/mail", Role.MODERATOR), "What waits"),
    State("desk mail: opened", desk_mail.open_mail, "stands in the log, without the address"),
    State("desk mail: never shown", desk_mail.open_mail_to_a_writer, "with the receipt code"),
    State("desk mail: came back", desk_mail.open_bounce, "In the other server’s words"),
    State("desk mail: again", desk_mail.send_again, "as soon as a worker is free"),
    State("desk mail: in vain", desk_mail.send_again_in_vain, "Another address is needed", 409),
    State("desk log", desk.at_desk("/desk/audit"), "Look for lines"),
    State("desk log: none", desk.at_desk("/desk/audit?actor=nobody+at+all"), "No line is like"),
    wrong("desk log: day", desk.at_desk("/desk/audit?first_day=x"), "Enter a day in the form"),
    State("desk log: proved", desk_mail.prove_log, "The log holds"),
    State("desk log: broken", desk_mail.prove_a_broken_log, "line 1 was changed"),
    wrong("desk log: mark", desk_mail.prove_against_nonsense, "Enter it as it was told"),
    State("desk: not yours", desk.at_desk("/desk/people", Role.EDITOR), "Not yours to open", 403),
    State("desk: signed out", desk.send_after_the_session_ended, "You were signed out", 401),
    State("desk: once more", desk.send_from_another_session, "Press once more", 400),
]
