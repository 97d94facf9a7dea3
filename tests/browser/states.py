"""Every page, and every state of it that a visitor can meet.

A page that opens at its address is one line in PAGES. A state that takes some doing is one line
in STATES, with the way there: a function that brings a browser to it (ways.py).
"""

from __future__ import annotations

from coalition.endorsements.models import EndorsementStatus as Org
from tests.browser import accounts, ways
from tests.browser import organisations as orgs
from tests.browser.care import CARE_STATES
from tests.browser.closed_states import CLOSED_STATES
from tests.browser.desk_signatures import SIGNATURE_STATES
from tests.browser.desk_states import DESK_STATES
from tests.browser.press_states import PRESS_STATES
from tests.browser.state import State, wrong
from tests.browser.telling_states import TELLING_STATES
from tests.browser.testimony_states import TESTIMONY_STATES
from tests.browser.text_states import TEXT_STATES
from tests.browser.ways import LONG_NAME, LONG_WORDS, TOO_OLD, Status
from tests.factories import LOGO

PAGES = [
    "/",
    "/petition",
    "/statement",
    "/statement/easy-read",
    "/statement/versions/1",
    "/statement/versions/2/changes",
    "/demands",
    "/evidence",
    "/replies",
    "/supporters",
    "/supporters/endorse",
    "/supporters/your-entry",
    "/supporters/code",
    "/supporters/erased",
    "/testimonies",
    "/updates",
    "/updates/nsun-supports-us",
    "/testimonies/share",
    "/testimonies/return",
    "/questions",
    "/about",
    "/help",
    "/privacy",
    "/accessibility",
    "/press",
    "/press/methodology",
    "/press/releases/halt-and-review",
    "/embed",
    "/embed/count",
    "/embed/sign",
    "/petition/your-signature",
    "/petition/code",
    "/petition/erased",
]


NO_NAME, NO_EMAIL = "Enter your name", "Enter your email address"
BAD_EMAIL = "Enter an email address in the form name@example.org"
NO_CONSENT = "Tick the box that says you agree"
NO_KIND_CONSENT = "Tick the box that says we may keep what you sign as"
SLOW_DOWN, BROKEN = "Please wait a little", "Something broke on our side"
NO_LINK, RAN_OUT = "This link does not work", "This link has run out"
GONE = "There is nothing here any more"

ENTRY_SAYS = {
    Org.AWAITING: "Not confirmed yet",
    Org.IN_REVIEW: "It is not public yet",
    Org.MORE_ASKED: "We have asked you for something",
    Org.PUBLISHED: "It is on the list",
    Org.DECLINED: "It was not put on the list",
    Org.WITHDRAWN: "You withdrew it on",
    Org.REMOVED: "It was taken off the list",
}

STATES = [
    *(State(path, ways.open_page(path)) for path in PAGES),
    # Signing
    wrong("sign: empty", ways.sign_with(name="", email="", consent=False), NO_NAME),
    wrong("sign: no address", ways.sign_with(email="zoe"), BAD_EMAIL),
    wrong("sign: no consent", ways.sign_with(consent=False), NO_CONSENT),
    wrong("sign: kind without consent", ways.sign_with(kind="survivor"), NO_KIND_CONSENT),
    wrong("sign: as robots do", ways.sign_with(website="me"), "This field must stay empty"),
    wrong("sign: long name", ways.sign_with(name=LONG_NAME * 2), "200 characters or fewer"),
    State("sign: old form", ways.sign_with_an_old_form, "open for a very long time", 422),
    State("sign: too often", ways.sign_too_often, "wait a little", 429),
    State("sign: failure", ways.sign_on_the_broken_site, "your signature was not taken", 500),
    State("check email", ways.sign_with(name=LONG_NAME), "Check your email"),
    State("check email: typo", ways.sign_with(email="zoe@gmial.com"), "Did you mean"),
    State(
        "check email: again",
        ways.then(ways.sign_with(), "Send the mail again"),
        "We have sent another mail",
    ),
    State("check email: old", ways.open_page("/petition/check-email/x"), "that you gave"),
    wrong("check email: no code", ways.then(ways.sign_with(), "Go on"), "Enter the code"),
    State("correct", ways.correct_the_address, "Sign the petition"),
    # The code
    wrong("code: empty", ways.send_code_form("", ""), NO_EMAIL),
    wrong("code: short", ways.send_code_form("zoe@example.org", "12"), "has eight digits"),
    wrong("code: wrong", ways.send_code_form("zoe@example.org", "1234 5678"), "does not belong"),
    State("code: too often", ways.try_too_many_codes, SLOW_DOWN, 429),
    State("code: failure", ways.type_a_code_on_the_broken_site, BROKEN, 500),
    # The links of the mails
    State("confirm", ways.waiting(), "One last step"),
    State("confirm: changed", ways.confirm_what_changed_meanwhile, "sent again since you opened"),
    State("confirm: used", ways.to_confirm(), "Already counted"),
    State("confirm: held", ways.to_confirm(status=Status.HELD), "Held for review"),
    State("confirm: removed", ways.to_confirm(status=Status.REMOVED), "Removed"),
    State("confirm: withdrawn", ways.to_confirm(status=Status.WITHDRAWN), "Withdrawn"),
    State("confirm: damaged", ways.waiting("x"), NO_LINK, 404),
    State("confirm: old", ways.waiting(age=TOO_OLD), RAN_OUT, 410),
    State(
        "confirm: renewed",
        ways.then(ways.waiting(age=TOO_OLD), "Send me a new link"),
        "a mail with a new link",
    ),
    State("counted", ways.then(ways.waiting(), "Yes, count my signature"), "is counted"),
    State("counted: already", ways.see_that_it_was_counted, "Already counted"),
    State("not me", ways.to_disown(status=Status.AWAITING), "Delete it now"),
    State(
        "not me: deleted",
        ways.then(ways.to_disown(status=Status.AWAITING), "Delete it now"),
        "It was never counted.",
    ),
    State(
        "not me: blocked",
        ways.then(ways.to_disown(status=Status.AWAITING), "Delete it, and never write to me again"),
        "We will not write to you again",
    ),
    State("not me: confirmed", ways.to_disown(), "was confirmed"),
    State("not me: confirmed meanwhile", ways.disown_what_was_confirmed_meanwhile, "was confirmed"),
    State("not me: twice", ways.disown_twice, "Nothing is left"),
    State("not me: damaged", ways.to_disown("x"), NO_LINK, 404),
    State("not me: old", ways.to_disown(age=TOO_OLD), RAN_OUT, 410),
    # The link to one's own signature
    wrong("link: empty", ways.send_link_form(""), NO_EMAIL),
    wrong("link: no address", ways.send_link_form("zoe@"), BAD_EMAIL),
    State("link: sent", ways.send_link_form("asking@example.org"), "tells you whether we hold"),
    State(
        "link: sent again",
        ways.then(ways.send_link_form("asking-again@example.org"), "Send the mail again"),
        "We have sent another mail",
    ),
    # One's own signature
    State("yours", ways.yours(region="wales", kind="survivor"), "has counted since"),
    State("yours: long name", ways.yours(name=LONG_NAME), "has counted since"),
    State("yours: waiting", ways.yours(status=Status.AWAITING), "It does not count yet"),
    State("yours: held", ways.held(), "It is held for review"),
    State("yours: removed", ways.yours(status=Status.REMOVED), "It was removed"),
    wrong("yours: no appeal", ways.appeal_with(""), "Write what we should know"),
    State("yours: appealed", ways.appeal_with(LONG_WORDS), "We have your words"),
    State("yours: appeal too often", ways.appeal_when_many_write, SLOW_DOWN, 429),
    State("yours: shown", ways.correct_with(show_name=True), "may stand on the list"),
    State("yours: corrected", ways.correct_with(name="Zoe"), "Your changes are saved"),
    wrong("yours: no name", ways.correct_with(name=""), NO_NAME),
    wrong("yours: kind without consent", ways.correct_with(kind="ally"), NO_KIND_CONSENT),
    State("yours: old form", ways.correct_with_an_old_form, "open for a very long time", 422),
    State("yours: withdrawn", ways.then(ways.yours(), "Withdraw my signature"), "is withdrawn"),
    State("yours: damaged", ways.yours("x"), NO_LINK, 404),
    State("yours: old", ways.yours(age=TOO_OLD), RAN_OUT, 410),
    State("yours: old, with words", ways.correct_with_an_old_link, "What you typed", 410),
    State("yours: failure", ways.look_at_a_lost_signature, BROKEN, 500),
    State("erase", ways.yours("/erase"), "This cannot be undone"),
    State("erased", ways.then(ways.yours("/erase"), "Erase everything"), "Erased"),
    State("erased: gone", ways.follow_after_erasing, GONE, 410),
    # Organisations
    wrong("endorse: empty", orgs.register_with_nothing, "Enter the organisation's name"),
    wrong(
        "endorse: everything wrong",
        orgs.register_with(
            name=LONG_NAME * 2,
            organisation_website="here",
            words="<b>bold</b>",
            email="zoe",
            logo_file=b"<svg/>",
            nickname="me",
        ),
        "We do not take SVG files",
    ),
    wrong("endorse: logo kept", orgs.register_with(name="", logo_file=LOGO), "organisation's name"),
    State("endorse: old form", orgs.register_with_an_old_form, "open for a very long time", 422),
    State("endorse: too often", orgs.register_too_often, "in a short time", 429),
    State("endorse: failure", orgs.register_on_the_broken_site, "your form was not taken", 500),
    State("endorse: check", orgs.register_with(logo_file=LOGO, name=LONG_NAME), "Nothing is sent"),
    State("endorse: change", orgs.register_with("Change something", logo_file=LOGO), "you sent"),
    State("endorse: sent", orgs.register_with("Send it", email="zoe@gmial.com"), "Did you mean"),
    State(
        "endorse: sent again",
        orgs.register_with("Send it", "Send the mail again"),
        "We have sent another mail",
    ),
    State("endorse: old mail page", ways.open_page("/supporters/check-email/x"), "that you gave"),
    State("endorse: correct", orgs.correct_the_address, "The logo that you sent"),
    wrong("endorse code: empty", orgs.send_code_form("", ""), NO_EMAIL),
    wrong("endorse code: wrong", orgs.send_code_form("z@example.org", "1234 5678"), "not belong"),
    State("endorse confirm", orgs.waiting(), "One last step"),
    State("endorse confirm: used", orgs.to_confirm(), "Already confirmed"),
    State("endorse confirm: damaged", orgs.waiting("x"), NO_LINK, 404),
    State("endorse confirm: old", orgs.waiting(age=TOO_OLD), RAN_OUT, 410),
    State(
        "endorse confirm: renewed",
        ways.then(orgs.waiting(age=TOO_OLD), "Send me a new link"),
        "with a new link is on its way",
    ),
    State(
        "entry: confirmed",
        ways.then(orgs.waiting(), "Yes, my organisation supports the statement"),
        "A person reads it now",
    ),
    State(
        "endorse confirm: recorded",
        orgs.to_confirm(is_recorded=True, name="Recorded Group"),
        "put your organisation on its list",
    ),
    wrong(
        "endorse confirm: recorded, not agreed",
        ways.then(
            orgs.to_confirm(is_recorded=True, name="Recorded Union"),
            "Yes, my organisation supports the statement",
        ),
        "the organisation has decided this",
    ),
    State(
        "endorse confirm: off the list",
        orgs.confirm_what_is_off_the_list,
        "no longer on our list",
    ),
    State(
        "entry: recorded",
        orgs.entry(is_recorded=True, name="Recorded Circle"),
        "as recorded by the coalition",
    ),
    State("endorse not me", orgs.to_disown(status=Org.AWAITING), "It was not me"),
    State(
        "endorse not me: deleted",
        ways.then(orgs.to_disown(status=Org.AWAITING), "Delete it"),
        "is deleted",
    ),
    State("endorse not me: confirmed", orgs.to_disown(), "It was confirmed"),
    wrong("entry link: no address", orgs.ask_for_links("zoe@"), BAD_EMAIL),
    State("entry link: sent", orgs.ask_for_links("z@example.org"), "which organisations stand"),
    *(
        State(f"entry: {status.name.lower()}", orgs.entry(status=status), says)
        for status, says in ENTRY_SAYS.items()
    ),
    State("entry: logos", orgs.entry_with_logos, "A person reads them before they are public"),
    State("entry: damaged", orgs.entry("x"), NO_LINK, 404),
    State("entry: old", orgs.entry(age=TOO_OLD), RAN_OUT, 410),
    State("entry: edit", orgs.entry("/edit"), "stays as it is until a person"),
    wrong("entry: edited wrongly", orgs.edit_with(name="", logo_file=b"no"), "PNG, JPEG or WebP"),
    wrong("entry: no answer", orgs.answer_with(""), "Write your answer"),
    State("entry: answered", orgs.answer_with(LONG_WORDS), "We have your answer"),
    wrong("entry: no contact", orgs.name_a_contact(email="zoe"), "name of the new contact"),
    State(
        "entry: contact named",
        orgs.name_a_contact(
            contact_name="Grace Fictional", contact_role="Treasurer", email="grace@example.org"
        ),
        "We have written to both mailboxes",
    ),
    State("entry: withdraw", ways.then(orgs.entry(), "Withdraw our name"), "Withdrawn. A mail"),
    State("entry: erase", orgs.entry("/erase"), "Erase who you are"),
    State("entry: gone", orgs.follow_after_erasing, GONE, 410),
    State("change of contact: old", orgs.change_old(), "Somebody named a new contact"),
    State("change of contact: new", orgs.change_new(), "You were named"),
    State("change of contact: late", orgs.change_new(age=TOO_OLD), GONE, 410),
    wrong(
        "change of contact: not agreed",
        ways.then(orgs.change_new(), "Yes, I am the new contact"),
        "the organisation has decided this",
    ),
    State("change of contact: half", orgs.agree_to_be_the_contact, "Half done"),
    State("change of contact: done", orgs.confirm_a_change_twice, "The contact is changed"),
    State("supporter", orgs.read_about("able-group", name="Able Group"), "In its own words"),
    State(
        "supporter: withdrew",
        orgs.read_about("bygone-group", name="Bygone Group", status=Org.WITHDRAWN),
        "Withdrew on",
    ),
    State("supporters: found", orgs.search("words=fictional&kind=user-led"), "on the list match"),
    State("supporters: none found", orgs.search("words=nobody"), "0 of those on the list match"),
    State("supporters: A to Z", orgs.search(""), "organisations have put their name"),
    # Testimonies that are published
    State("testimonies: some", accounts.read_list(), "Somebody asked for a nurse"),
    State(
        "testimonies: of a label",
        accounts.read_list("?label=care-refused&theme=police-in-care"),
        "account",
    ),
    State("testimonies: beyond the last page", accounts.read_list("?page=99"), "nothing on this"),
    State("testimony", accounts.read_one, "Read this account"),
    State("testimony: opened", accounts.open_one, "I had asked for a nurse"),
    State("testimony: off the site", accounts.read_what_was_taken_back, "is not here", 410),
    # Errors
    State("400", ways.ask_under_another_name, "We could not read that", 400),
    State("403", ways.post_from_another_site, "We did not take that", 403),
    State("404", ways.open_page("/nowhere"), "This page is not here", 404),
    State("405", ways.open_page("/petition/resend"), "That does not work here", 405),
    State("413", ways.send_a_whole_book, "That was too much at once", 413),
    State("503: no campaign", lambda page, sites: page.goto(sites.bare.url), "Not open yet", 503),
    # On the machine of somebody who tries the site out
    State("components", ways.open_page("/dev/components"), "Each part of the design"),
    State("mails that were not sent", ways.read_mails_that_were_not_sent, "No mail server"),
    *DESK_STATES,
    *SIGNATURE_STATES,
    *TELLING_STATES,
    *TESTIMONY_STATES,
    *PRESS_STATES,
    *TEXT_STATES,
    *CARE_STATES,
    *CLOSED_STATES,
]
