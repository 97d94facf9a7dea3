"""What each text of the campaign is called at the desk, and what its writer should know."""

from __future__ import annotations

from dataclasses import dataclass

# In the order in which the desk lists them.
TITLES = {
    "petition": "The petition",
    "statement": "The statement",
    "easy-read": "The statement in easy words",
    "demands": "Demands, and where they stand",
    "evidence": "Evidence",
    "replies": "Who was asked, and what they said",
    "sides": "What we say, and what they answer",
    "updates": "News",
    "press": "For newspapers: words, releases, corrections",
    "reasons": "Reasons, on the front page",
    "questions": "Questions",
    "about": "About us",
    "support": "Support, above the helplines",
    "helplines": "Helplines",
    "privacy": "Privacy, in your own words",
    "consent": "What people agree to",
    "testimonies": "Telling what happened: rule, consent, labels",
    "campaign": "Names, colours and first lines",
    "logo": "The logo",
}

# What whoever publishes a new version should know before.
WARNINGS = {
    "petition": (
        "Whoever signed before now signed the earlier version. Their signatures stay with it and "
        "stay counted. They are not asked again, and nobody tells them of the change."
    ),
    "consent": (
        "Whoever agreed before now agreed to the earlier words. What they agreed to stays as it "
        "was: new words do not bind them."
    ),
    "testimonies": (
        "Whoever wrote before now wrote under the earlier rule. It goes on holding for what they "
        "wrote. A label or theme that you take out is no longer shown; to change only its words, "
        "keep its slug. While the rule is empty, nobody can write."
    ),
    "press": (
        "A release is public once its embargo has passed, by itself. Change the moment, and links "
        "that were given before stay good until the new one."
    ),
    "statement": (
        "Organisations put their name to the version that stood when they did. They stay with "
        "that version, and nobody tells them of the change."
    ),
}

MARKDOWN = (
    ("## A heading", "a line of its own; long pages make a list of these"),
    ("*word*, **word**", "stress, and strong stress"),
    ("- a point", "a list: each point on a line of its own, a blank line before the first"),
    ("[words](/evidence)", "a link to a page of this site; others begin with https://"),
    ("![What it shows](/static/img/x.png)", "a picture, from this site alone, with its words"),
    ("a blank line", "between two paragraphs. HTML is not allowed"),
)
LOGO = (
    "The logo is an SVG, as a drawing program saves it. It may draw, and do nothing else: no "
    "scripts, no style sheets, no text, nothing from elsewhere, at most 20,000 bytes."
)


@dataclass(frozen=True)
class Field:
    """A field of a TOML text. `needed` is False where it may be left out."""

    name: str
    about: str
    needed: bool = True


_LINK = Field("link", "where that is written; begins with https://", needed=False)
_SOURCE = Field("source", "who says so")

# By slug, then by what stands above the fields; "" where they stand by themselves.
FIELDS: dict[str, dict[str, tuple[Field, ...]]] = {
    "campaign": {
        "": (
            Field("name", "the campaign's full name"),
            Field("short_name", "a short one, for titles"),
            Field("hashtag", "with its #"),
            Field("addressed_to", "to whom the petition goes"),
            Field("headline", "the largest words of the front page"),
            Field("lead", "one or two sentences below them"),
            Field("contact", "the campaign's mail address"),
            Field("controller", "who is responsible for personal data"),
            Field("mail_greeting", "how mails begin; may not name the campaign"),
            Field("leave_to", "where “Leave this page” leads; begins with https://"),
            Field("accent", "the colour on light paper, as #8a1538; contrast at least 7:1"),
            Field("accent_dark", "the same on dark paper"),
            Field("content_note", "stands before petition and statement", needed=False),
        ),
    },
    "consent": {
        "": (
            Field("signature", "needed to sign"),
            Field("kind", "to keep what somebody signs as"),
            Field("show_name", "that their name may be handed in"),
            Field("updates", "to have mails about the campaign"),
            Field("authority", "what an organisation's contact states"),
            Field("contact", "what they agree to about their own data"),
        ),
    },
    "testimonies": {
        "": (
            Field("rule", "do you ever send services to whoever writes? Empty: shut", needed=False),
            Field("exceptions", "the closed list, a sentence each; [] where there is none"),
            Field("exceptions_do", "who decides in such a case, and what they do", needed=False),
            Field("lead", "one or two sentences on what is asked for"),
            Field("who_reads", "who reads what is written"),
            Field("how_long", "how long that takes, and that nobody watches for emergencies"),
            Field("consent", "needed to send"),
            Field("press", "that newspapers may quote it"),
            Field("inquiry", "that an inquiry may have it"),
            Field("reach", "that you may write to them"),
            Field("prompts", "questions to begin with, as a list; [] for none"),
        ),
        "[[labels]]": (
            Field("slug", "its name in addresses; never change it"),
            Field("words", "what an account does: “describes restraint by police”"),
            Field("weight", "how heavy it can be to read: 1, 2 or 3; for the desk alone"),
        ),
        "[[themes]]": (
            Field("slug", "its name in addresses; never change it"),
            Field("name", "what accounts are about"),
        ),
    },
    "helplines": {
        "[[helplines]]": (
            Field("name", "who answers"),
            Field("contact", "the number or address, as it is read"),
            Field("link", "the same for a press: tel:, sms:, mailto: or https://"),
            Field("hours", "when they answer"),
            Field("about", "for whom they are there"),
            Field("calls_services", "may they bring in emergency services without agreement?"),
            Field("checked", "the day on which somebody last looked that up: 2026-04-29"),
            Field("source", "where", needed=False),
        ),
    },
    "demands": {
        "[[demands]]": (
            Field("title", "one or two words"),
            Field("text", "the demand"),
            Field("state", "“open”, “partly met” or “met”"),
            Field("as_of", "up to which day the steps are known: 2026-04-29", needed=False),
        ),
        "[[demands.steps]], below its demand": (
            Field("on", "the day: 2026-04-29"),
            Field("text", "what happened"),
            _SOURCE,
            _LINK,
        ),
    },
    "evidence": {
        "[[evidence]]": (
            Field("anchor", "its name in addresses; never change it"),
            Field("title", "what it is"),
            Field("source", "who wrote it"),
            Field("published", "a day, a year, or “not known”"),
            Field("shows", "what it shows"),
            Field("does_not_show", "its limits"),
            _LINK,
            Field("content_note", "where it describes harm", needed=False),
        ),
    },
    "replies": {
        "[[replies]]": (
            Field("body", "who was asked"),
            Field("asked_by", "by whom"),
            Field("as_of", "up to which day this is known: 2026-04-29"),
            _SOURCE,
            Field("asked_on", "the day, or else asked_words", needed=False),
            Field("asked_words", "such as “that week”, where the day is not known", needed=False),
            Field("due", "by which day an answer was asked for", needed=False),
            Field("answered_on", "when they answered, as it is known", needed=False),
            Field("answer", "what they said, put fairly", needed=False),
            _LINK,
        ),
    },
    "sides": {
        "[[sides]]": (
            Field("topic", "what it is about"),
            Field("ours", "what we say"),
            Field("theirs", "what those whom we criticise answer, put fairly"),
            Field("source", "where they say so"),
            _LINK,
        ),
    },
    "updates": {
        "[[updates]]": (
            Field("slug", "its name in addresses; never change it"),
            Field("on", "the day: 2026-04-29"),
            Field("title", "what happened, in a few words"),
            Field("summary", "the same in one sentence"),
            Field("text", "the news, in Markdown"),
        ),
    },
    "press": {
        "": (
            Field("contact", "the email address for newspapers"),
            Field("reachable", "when and how fast you answer"),
            Field("safely", 'how to report without harm: ["...", "..."], a sentence each'),
        ),
        "[[quotes]]": (
            Field("words", "that they may print"),
            Field("by", "who says them"),
        ),
        "[[releases]]": (
            Field("slug", "its name in addresses; never change it"),
            Field("embargo", "until when only a link opens it: 2026-04-29T00:01:00+01:00"),
            Field("title", "what it is about, in a few words"),
            Field("summary", "the same in one sentence"),
            Field("text", "the release, in Markdown"),
        ),
        "[[corrections]]": (
            Field("on", "the day: 2026-04-29"),
            Field("what", "was wrong, and what is right"),
            Field("why", "it was wrong"),
        ),
    },
    "easy-read": {
        "": (
            Field("title", "of the page"),
            Field("checked_by", "who with a learning disability has checked it", needed=False),
        ),
        "[[parts]]": (Field("title", "of the part"),),
        "[[parts.points]], below its part": (
            Field("symbol", "the name of a picture in static/img/symbols.svg"),
            Field("text", "sentences of 15 words at most"),
            Field("link", "to a page of this site: /help", needed=False),
            Field("link_words", "what the link says; each needs the other", needed=False),
        ),
    },
}
