"""The list to hand in: who is on it, the count beside it, and what the files say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from coalition import clock
from coalition.db import one_moment, transaction
from coalition.petition import actions
from coalition.petition.hand_in import (
    NATIONS,
    HandInCount,
    agreed_sentences,
    nation_of,
    read_hand_in_count,
)
from coalition.petition.models import Kind, Region, SignatureStatus
from coalition.petition.tally import fold
from coalition.statements.actions import publish_texts
from coalition.statements.campaign import read_folder
from coalition.statements.queries import current_campaign, latest_versions
from coalition.web.data import FORMULA_STARTS
from tests.conftest import ROOT
from tests.factories import make_signature
from tests.handing_in import content, make, names, printed, rows

Status = SignatureStatus

ANY_SCRIPT = [
    "Siobhán Ní Bhriain-O’Neil",
    "Łukasz Żółć",
    "Nguyễn Thị Ánh",
    "Ольга Іванівна",
    "Ἀθηνᾶ Παλλάς",
    "محمد الأمين",
    "فاطمہ زہرا",
    "דוד כהן",
    "अनीता शर्मा",
    "রবীন্দ্রনাথ ঠাকুর",
    "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "પટેલ ક્ષમા",
    "தமிழ்ச்செல்வி",
    "สมชาย ใจดี",
    "ნინო ქართველი",
    "Անի Հակոբյան",
    "A word-without-an-end-" + "x" * 150,
    "#let x = 1 *bold* _thin_ $1$ @a <b> [c] \\ // `d` “quoted”",
]


def count_now() -> HandInCount:
    with one_moment() as reading:
        return read_hand_in_count(reading, now=clock.utc_now())


def publish_petition(text: str) -> int:
    """Another version of the petition's text. Returns its id."""
    texts = {**read_folder(ROOT / "campaign"), "petition": text}
    with transaction() as session:
        publish_texts(session, texts, actor="test", now=clock.utc_now())
        return latest_versions(session)["petition"].id


def test_whoever_did_not_agree_or_does_not_count_is_not_on_the_list(app: Flask) -> None:
    with transaction() as session:
        for status in Status:
            make_signature(session, name=f"Named {status}", show_name=True, status=status)
            make_signature(session, name=f"Silent {status}", show_name=False, status=status)
    made = make()
    assert names(made) == ["Named verified"]
    assert printed(made).of("LBody")[-1] == "Named verified"
    assert "Silent" not in str(printed(made).blocks)


@pytest.mark.parametrize("leaving", ["withdraw", "erase", "untick"])
def test_whoever_leaves_the_list_is_not_on_the_next(app: Flask, leaving: str) -> None:
    now = clock.utc_now()
    with transaction() as session:
        signature = make_signature(session, name="Ada", show_name=True)
    assert names(make()) == ["Ada"]
    with transaction() as session:
        if leaving == "withdraw":
            actions.withdraw_signature(session, signature.id, now=now)
        elif leaving == "erase":
            actions.erase_signature(session, signature.id, now=now)
        else:
            silent = actions.Personal("Ada", None, None, show_name=False, wants_updates=False)
            actions.correct_signature(
                session, signature.id, silent, signature.consent_version_id, now=now
            )
    assert names(make()) == []


def test_neither_address_nor_kind_nor_region_is_handed_in(app: Flask) -> None:
    with transaction() as session:
        make_signature(
            session,
            name="Ada",
            email="secret@example.org",
            kind=Kind.SURVIVOR,
            region=Region.NORTH_EAST,
            show_name=True,
        )
    made = make()
    said = (content(made, "names.csv").decode() + str(printed(made).blocks)).lower()
    for word in ("secret@", "survivor, ", "north east", "north-east", "i use services"):
        assert word not in said
    assert list(rows(made)[0]) == ["name", "signed on (UTC)", "version of the petition"]


def test_no_name_runs_as_a_formula(app: Flask) -> None:
    wild = [f"{start}cmd" for start in FORMULA_STARTS if start.strip()]
    with transaction() as session:
        for name in wild:
            make_signature(session, name=name, show_name=True)
    made = make()
    assert sorted(names(made)) == sorted(f"'{name}" for name in wild)
    assert {name for name in wild if name.isascii()} <= set(printed(made).of("LBody"))


def test_the_csv_file_begins_with_the_mark_that_excel_needs(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Łukasz", show_name=True)
    data = content(make(), "names.csv")
    assert data.startswith(b"\xef\xbb\xbfname,")
    assert data.count(b"\r\n") == 2


def test_names_of_any_script_can_be_read_in_the_pdf(app: Flask) -> None:
    with transaction() as session:
        for name in ANY_SCRIPT:
            make_signature(session, name=name, show_name=True)
    made = make()
    assert set(names(made)) == set(ANY_SCRIPT)
    assert set(ANY_SCRIPT) <= set(printed(made).of("LBody"))
    assert made.spelled_count == 0


def test_a_letter_that_no_font_has_is_spelled_out_and_told(app: Flask) -> None:
    # U+0378 is no letter of any script.
    with transaction() as session:
        for name in ("Ada \u0378", "Grace", "\u0378\u0379", "अनीता \u0378"):
            make_signature(session, name=name, show_name=True)
    made = make()
    found = printed(made).of("LBody")
    assert {"Ada [U+0378]", "Grace", "[U+0378][U+0379]", "अनीता [U+0378]"} <= set(found)
    assert made.spelled_count == 3
    assert "Ada \u0378" in names(made)


def test_the_pdf_has_the_petition_in_full_with_title_language_and_headings(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Ada", show_name=True, region=Region.WALES)
    found = printed(make())
    details = current_campaign().details
    assert found.title == f"Petition to {details.addressed_to}: {details.headline}"
    assert found.language == "en-GB"
    assert found.of("H1") == [found.title]
    headings = found.of("H2")
    assert headings[0].startswith("The petition, version 1, published on")
    assert headings[1:] == ["Signatures under version 1", "Names of those who signed version 1"]
    said = " ".join(found.of("P", "LBody"))
    for words in ("To NHS England.", "Law and rights.", "commission an independent review."):
        assert words in said
    cells = found.of("TD")
    assert cells[cells.index("Wales") : cells.index("Wales") + 3] == ["Wales", "1", "1"]
    assert cells[-3:] == ["All", "1", "1"]


def test_a_list_without_a_name_still_hands_in_the_petition_and_its_count(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="Silent")
    made = make()
    assert (made.total, names(made)) == (0, [])
    assert printed(made).of("TD")[-3:] == ["All", "1", "0"]


def test_a_list_can_be_made_before_anybody_signed(app: Flask) -> None:
    assert "0 signatures" in " ".join(printed(make()).of("P"))


def test_the_list_is_ordered_by_version_and_day(app: Flask) -> None:
    day = datetime(2026, 5, 1, 12, tzinfo=UTC)
    with transaction() as session:
        first = latest_versions(session)["petition"].id
    second = publish_petition("To somebody else.\n\nWe ask again.")
    with transaction() as session:
        for name, version_id, days in [
            ("D", second, 3), ("C", second, 0), ("B", first, 2), ("A", first, 1)
        ]:  # fmt: skip
            make_signature(
                session,
                name=name,
                show_name=True,
                petition_version_id=version_id,
                now=day + timedelta(days=days),
            )
    made = make()
    assert [tuple(row.values()) for row in rows(made)] == [
        ("A", "2026-05-02", "1"),
        ("B", "2026-05-03", "1"),
        ("C", "2026-05-01", "2"),
        ("D", "2026-05-04", "2"),
    ]
    assert printed(made).of("H3") == ["2 May 2026", "3 May 2026", "1 May 2026", "4 May 2026"]
    assert "We ask again." in printed(made).of("P")


def test_a_list_of_one_version_has_nobody_of_another(app: Flask) -> None:
    with transaction() as session:
        make_signature(session, name="First", show_name=True)
    second = publish_petition("We ask again.")
    with transaction() as session:
        make_signature(session, name="Second", show_name=True, petition_version_id=second)
    made = make(second)
    assert names(made) == ["Second"]
    assert "To NHS England." not in printed(made).of("P")
    assert printed(made).of("TD")[-3:] == ["All", "1", "1"]


def test_a_day_is_the_day_in_utc_whatever_the_hour(app: Flask) -> None:
    late = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)  # 1 July in London
    with transaction() as session:
        make_signature(session, name="Ada", show_name=True, now=late)
    assert rows(make())[0]["signed on (UTC)"] == "2026-06-30"


def test_the_regions_of_england_are_one_nation() -> None:
    english = [region for region in Region if nation_of(region) == "England"]
    assert len(english) == 9
    assert {nation_of(region) for region in [*Region, None]} == set(NATIONS)


def test_the_count_equals_the_public_one_once_everything_is_folded(app: Flask) -> None:
    with transaction() as session:
        for region in [*Region, None]:
            make_signature(session, region=region, show_name=region is Region.WALES)
        for status in Status:
            make_signature(session, status=status, show_name=True)
    before = count_now()
    assert (before.verified, before.public.signatures, before.coming) == (15, 0, 15)
    assert before.unexplained == 0
    with transaction() as session:
        fold(session, now=clock.utc_now())
    after = count_now()
    assert (after.verified, after.public.signatures, after.coming) == (15, 15, 0)
    assert after.unexplained == 0
    assert (after.named, after.nations["Wales"].named, after.nations["Not said"].named) == (2, 1, 1)
    assert after.nations["England"].verified == 9


def test_a_tally_that_is_wrong_is_not_explained_away(app: Flask) -> None:
    with transaction() as session:
        make_signature(session)
        fold(session, now=clock.utc_now())
        make_signature(session, status=Status.AWAITING).status = Status.VERIFIED
    assert count_now().unexplained == 1


def test_the_desk_is_told_what_those_on_the_list_agreed_to(app: Flask, session: Session) -> None:
    with transaction() as writing:
        make_signature(writing, show_name=True)
        make_signature(writing, show_name=False)
    old = current_campaign().consent.show_name
    texts = read_folder(ROOT / "campaign")
    texts["consent"] = texts["consent"].replace(old, "Hand my name in to the mayor.")
    with transaction() as writing:
        publish_texts(writing, texts, actor="test", now=clock.utc_now())
        newer = latest_versions(writing)["consent"].id
        make_signature(writing, show_name=True, choices_version_id=newer)
    assert agreed_sentences(session) == {old: 1, "Hand my name in to the mayor.": 1}
